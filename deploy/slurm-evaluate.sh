#!/bin/bash
# Evaluates a list of checkpoints on a Slurm cluster: each task of the array takes every n-th checkpoint of the list.
#
#   MODELS=/shared/models.txt DATA=/shared/benchmarks OUT=/shared/run sbatch deploy/slurm-evaluate.sh
#   OUT=/shared/run sbatch --dependency=afterok:JOB deploy/slurm-import.sh
#
# MODELS has one checkpoint a line: a path, and after a tab what it is called. Tasks are independent and may be run again: item
# tables that are whole are kept, one that was cut short is taken up where it ends. Another number of tasks: sbatch --array=0-63.
#SBATCH --job-name=anatomy-evaluate
#SBATCH --array=0-15
#SBATCH --cpus-per-task=8
#SBATCH --mem=24G
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%A-%a.log
set -euo pipefail

: "${MODELS:?a file with one checkpoint a line}" "${DATA:?the folder of the benchmarks}" "${OUT:?a folder all nodes share}"
mkdir -p "$OUT/answers" "$OUT/results"
result="$OUT/results/$SLURM_ARRAY_TASK_ID-of-$SLURM_ARRAY_TASK_COUNT.json"

anatomy probe evaluate --models "$MODELS" --tasks "${TASKS:-arc_challenge,hellaswag,mmlu,truthfulqa,winogrande,gsm8k}" \
    --data "$DATA" --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --items "$OUT/answers" \
    --threads "$SLURM_CPUS_PER_TASK" --format json --quiet > "$result.part"
mv "$result.part" "$result"
