#!/bin/bash
# Takes the item tables of an evaluation into one table divided by benchmark. May be run again: what is there stays.
#SBATCH --job-name=anatomy-import
#SBATCH --cpus-per-task=2
#SBATCH --mem=4G
#SBATCH --time=02:00:00
#SBATCH --output=%x-%j.log
set -euo pipefail

: "${OUT:?the folder of the evaluation}"
anatomy catalog import-items --into "$OUT/items" "$OUT/answers"
