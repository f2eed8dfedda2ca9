#!/bin/sh
# The whole check of an NVIDIA GPU in one go; --help tells more.
usage='The whole check of an NVIDIA GPU in one go, in under 8 minutes: benchmarks/gpu.sh [FOLDER [PART ...]]
Leaves gpu.json and gpu.log, and nothing else, in FOLDER (runs/gpu). PART: torch, tensorrt, onnxruntime-cuda,
tensorrt-rtx; all of them where none is named. What is not there is named as not run, with the reason.
PYTHON names the interpreter (python3), WHEELS a folder of wheels to use beside what it has (benchmarks/wheels),
MODELS a folder with the graphs of base (benchmarks/gpu-models); without one they are exported, which needs torch.
Ends with 0 if anything was measured, 1 if nothing could be, 2 if it was called in the wrong way: then nothing is
written, and what an earlier run left is still there.'
wrong() { echo "gpu.sh: $*; --help tells more" >&2; exit 2; }
here=$(cd "$(dirname "$0")/.." && pwd)
case ${1-} in
    -h | --help) echo "$usage"; exit 0 ;;
    -*) wrong "there is no option $1" ;;
    torch | tensorrt | onnxruntime-cuda | tensorrt-rtx) wrong "the folder comes before the parts (or is ./$1)" ;;
esac
folder=${1:-$here/runs/gpu}
[ $# -eq 0 ] || shift
for part; do
    case $part in
        torch | tensorrt | onnxruntime-cuda | tensorrt-rtx) ;;
        *) wrong "there is no part $part" ;;
    esac
done
mkdir -p "$folder" 2>/dev/null && out=$(cd "$folder" && pwd) && [ -w "$out" ] || wrong "$folder cannot be written to"
rm -f "$out/gpu.json" "$out/gpu.log"
python=${PYTHON:-python3}
wheels=$(cd "${WHEELS:-$here/benchmarks/wheels}" 2>/dev/null && pwd)
models=$(cd "${MODELS:-$here/benchmarks/gpu-models}" 2>/dev/null && pwd)
cd "$here" || exit 2
PYTHONPATH=$here${PYTHONPATH:+:$PYTHONPATH} "$python" -m benchmarks.gpu_check "$out" "$wheels" "$models" "$@" &
check=$!
trap 'kill -TERM "$check" 2>/dev/null' TERM INT HUP
wait "$check"
status=$?
# A signal ends the waiting, not what is waited for: that still writes down what it has.
if kill -0 "$check" 2>/dev/null; then
    wait "$check"
    status=$?
fi
[ -f "$out/gpu.log" ] || echo "gpu.sh: $python could not run benchmarks.gpu_check, exit status $status" >"$out/gpu.log"
[ -f "$out/gpu.json" ] || printf '{"bench": "gpu", "error": "the check itself ended with status %s", "parts": {}}\n' \
    "$status" >"$out/gpu.json"
[ "$status" -le 1 ] || status=1
exit "$status"
