#!/bin/bash
# One statement on a cluster of its own inside a Slurm job: a scheduler on the first node, an executor on each, the client, the end.
#
#   ITEMS=/shared/run/items SQL="select * from item_difficulty" OUT=/shared/difficulty.parquet sbatch deploy/slurm-cluster.sh
#
# `anatomy` is built with `--features cluster`. ITEMS stands in a folder that all nodes share, or in a store (s3:// …) whose
# credentials the job's environment holds. More nodes: sbatch --nodes=8.
#SBATCH --job-name=anatomy-cluster
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=24G
#SBATCH --time=04:00:00
#SBATCH --output=%x-%j.log
set -euo pipefail

: "${ITEMS:?a table of items}" "${SQL:?a statement}" "${OUT:?a file for the answer}"
head=$(hostname -f)
port=$((50000 + SLURM_JOB_ID % 10000))

anatomy cluster scheduler --host 0.0.0.0 --port "$port" &
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
until (exec 3<> "/dev/tcp/$head/$port") 2> /dev/null; do sleep 1; done

srun --kill-on-bad-exit=0 bash -c '
    anatomy cluster executor --scheduler "$0:$1" --slots "$SLURM_CPUS_PER_TASK" --host 0.0.0.0 \
        --advertise "$(hostname -f)" --memory 20GiB --work "${TMPDIR:-/tmp}"' "$head" "$port" &

anatomy query --items "$ITEMS" --cluster "df://$head:$port" --timeout 14000 "$SQL" --parquet "$OUT"
