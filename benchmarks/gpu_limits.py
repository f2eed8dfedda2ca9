"""What a GPU can do at best: bytes copied and half-precision products a second, measured on it.

Started as `python -m benchmarks.gpu_limits FILE.json` by the check of a GPU: what it loads to measure is then gone with
its process.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.json_file import write_json
from benchmarks.warm_up import warm_up
from engines.cuda import CudaDevice, cuda_device
from engines.errors import EngineError

COPIED = 512 << 20
"""Bytes of a copy: far more than any cache holds"""
EDGE = 8192
"""Rows and columns of the matrices that are multiplied"""
TIMES = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """None where it could not be measured."""

    bytes_per_s: float | None
    """Read and written, together"""
    macs_per_s: float | None
    """Half precision, by the library named"""
    by: str


def measure(device: CudaDevice) -> Limits:
    """Copy and multiply for a moment."""
    rate, by = _matrix_rate(device)
    return Limits(_copy_rate(device), rate, by)


def _copy_rate(device: CudaDevice) -> float | None:
    device.enter()
    blocks: list[int] = []
    try:
        for _ in range(2):
            blocks.append(device.allocate(COPIED))
        source, target = blocks
        queue = device.queue()
        return 2 * COPIED / _seconds(lambda: queue.copy(target, source, COPIED), queue.wait)
    except EngineError:
        return None
    finally:
        for block in blocks:
            device.free(block)


def _matrix_rate(device: CudaDevice) -> tuple[float | None, str]:
    for name, multiply in (("torch", _torch_product), ("onnxruntime", lambda: _onnx_product(device))):
        try:
            return EDGE**3 / _seconds(*multiply()), name
        except Exception:  # whatever is missing, the other may be there
            continue
    return None, "neither torch nor onnxruntime could multiply on the GPU"


def _seconds(run: Callable[[], Any], wait: Callable[[], Any]) -> float:
    """Of one run, of several that follow each other at the clock that load brings."""

    def several() -> None:
        for _ in range(TIMES):
            run()
        wait()

    warm_up(several)
    began = time.perf_counter()
    several()
    return (time.perf_counter() - began) / TIMES


def _torch_product() -> tuple[Any, Any]:
    import torch

    a, b = (torch.randn(EDGE, EDGE, device="cuda", dtype=torch.float16) for _ in range(2))
    return lambda: torch.mm(a, b), torch.cuda.synchronize


def _onnx_product(device: CudaDevice) -> tuple[Any, Any]:
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper

    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT16, [EDGE, EDGE]) for n in "abc"]
    graph = helper.make_graph([helper.make_node("MatMul", ["a", "b"], ["c"])], "g", values[:2], values[2:])
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    queue = device.queue()
    settings = {"user_compute_stream": str(queue.handle)}
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=[("CUDAExecutionProvider", settings)])
    if session.get_providers()[0] != "CUDAExecutionProvider":
        raise EngineError("no CUDA")
    binding = session.io_binding()
    for name in "ab":
        value = onnxruntime.OrtValue.ortvalue_from_numpy(np.full((EDGE, EDGE), 0.01, np.float16), "cuda", 0)
        binding.bind_ortvalue_input(name, value)
    binding.bind_output("c", "cuda")
    options = onnxruntime.RunOptions()
    options.add_run_config_entry("disable_synchronize_execution_providers", "1")
    return lambda: session.run_with_iobinding(binding, options), queue.wait


def main(target: Path) -> int:
    """Measure and write down, or write down why not."""
    try:
        device = cuda_device()
        content: dict[str, Any] = {"gpu": f"{device.name}, {device.capability}", "limits": asdict(measure(device))}
    except EngineError as error:
        content = {"missing": {"gpu": str(error)}}
    print(content)
    write_json(target, content)
    return int("missing" in content)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
