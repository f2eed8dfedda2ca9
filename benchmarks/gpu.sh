#!/bin/sh
# The whole check of an NVIDIA GPU in one go, in under 8 minutes: benchmarks/gpu.sh [FOLDER]
# Leaves gpu.json and gpu.log in FOLDER (runs/gpu). Uses what is there: TensorRT, TensorRT-RTX, ONNX Runtime's CUDA, torch.
# What is missing comes from wheels in benchmarks/wheels if that folder is there (no network is used then), else nothing
# is installed. Graphs are taken from benchmarks/gpu-models if that is there, else exported, which needs torch.
# PYTHON names the interpreter (python3).
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "${1:-$here/runs/gpu}"
out=$(cd "${1:-$here/runs/gpu}" && pwd)
cd "$here"
python=${PYTHON:-python3}
if [ -d benchmarks/wheels ]; then
    # Sees what the machine has, and adds what is carried.
    "$python" -m venv --system-site-packages "$out/venv"
    python=$out/venv/bin/python
    for wheel in benchmarks/wheels/*.whl; do
        "$python" -m pip install --quiet --no-index --no-deps "$wheel" || echo "gpu.sh: $wheel was not installed" >&2
    done
fi
models=benchmarks/gpu-models
[ -d "$models" ] || models=$out/models
# Plans of this check stay out of the user's cache.
PYTHONPATH=$here XDG_CACHE_HOME=$out/cache exec "$python" -m benchmarks.gpu_check "$out" "$models"
