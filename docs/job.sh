#!/usr/bin/env bash
# A run inside one allocation: sbatch docs/job.sh my.yml my-run
# Of all tasks one hands out the blocks, one keeps count of them, and the others work on one block each.
#SBATCH --job-name=geotools
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=2
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=2G
#SBATCH --time=00:30:00
#SBATCH --output=geotools-%j.log
set -euo pipefail

# Whatever makes `geotools` known on a node goes here: module load ..., source .venv/bin/activate

# Once, before many tasks would find the same mistake.
geotools check "$1"
srun --kill-on-bad-exit=0 geotools run "$1" --out "$2" --cluster slurm
