"""The generator in torch on a GPU: as it is, compiled, and as a CUDA graph; what an engine has to beat.

Started as `python -m benchmarks.torch_yardstick FILE.json WAY`, one process for each way: a capture that failed may
leave a process's GPU of no use. Weights and states are half precision once and for all, as in the exported graphs; what
autocast still converts, anew in each step, is what float32 operators between them leave behind.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.json_file import write_json
from benchmarks.random_generator import random_generator
from benchmarks.warm_up import warm_up
from engines.errors import first_line
from export.fold import folded
from export.wrapper import GraphModule

GRAPHS = (("lite", 384), ("base", 512))
BATCHES = (1, 4, 8, 16)
WAYS = ("graph", "eager", "compiled graph", "compiled")
STEPS = 100


class Case:
    """One graph and batch in torch, states carried along in place, planes from and to pinned memory."""

    def __init__(self, name: str, size: int, batch: int, compiled: bool, device: str = "cuda") -> None:
        module = GraphModule(folded(random_generator(name)), size).eval().half().to(device)
        example = module.example_inputs(batch)
        self._device = device
        self._module: Callable[..., Any] = torch.compile(module) if compiled else module
        self._host = {n: self._pinned(example[n]) for n in ("y", "uv")}
        self.inputs = {n: t.to(device) for n, t in example.items()}
        for name in ("keep", "prompt"):
            self.inputs[name].fill_(1.0)
        self.states = module.state_names()
        self.back = [self._pinned(torch.empty_like(t)) for t in self._host.values()]

    def _pinned(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.pin_memory() if self._device == "cuda" else tensor

    @torch.no_grad()
    def enqueue(self) -> None:
        """Put one step in line."""
        for name, host in self._host.items():
            self.inputs[name].copy_(host, non_blocking=True)
        # Without its cache of converted weights: there are none to convert, and a recording must not refer to it.
        with torch.autocast(self._device, torch.float16, cache_enabled=False):
            result = self._module(*self.inputs.values())
        for name, state in zip(self.states, result[3:], strict=True):
            self.inputs[name].copy_(state)
        for back, plane in zip(self.back, result[:2], strict=True):
            back.copy_(plane, non_blocking=True)


def timed(step: Callable[[], None]) -> dict[str, float]:
    """Milliseconds of a step with its wait: median and 99th percentile."""

    def done() -> None:
        step()
        torch.cuda.synchronize()

    warm_up(done)
    taken = []
    for _ in range(STEPS):
        began = time.perf_counter()
        done()
        taken.append(1000 * (time.perf_counter() - began))
    return {"median_ms": float(np.median(taken)), "p99_ms": float(np.percentile(taken, 99))}


def recorded(case: Case) -> Callable[[], None]:
    """The step as a CUDA graph."""
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch's own
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            case.enqueue()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        case.enqueue()
    return graph.replay


def measure(name: str, size: int, batch: int, way: str) -> dict[str, Any]:
    """Figures of one graph, batch and way."""
    row: dict[str, Any] = {"graph": f"{name}-{size}", "engine": f"torch {way}", "batch": batch}
    try:
        case = Case(name, size, batch, way.startswith("compiled"))
        times = timed(recorded(case) if way.endswith("graph") else case.enqueue)
    except Exception as error:  # what cannot be measured is said, and the rest goes on
        return row | {"error": first_line(error)}
    return row | times | {"faces_per_s": 1000 * batch / times["median_ms"]}


def usable() -> str | None:
    """None after letting go of what the last figure held, or why this process can measure nothing more."""
    try:
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
    except Exception as error:  # whatever it is, all that follows would fail by it
        return first_line(error)
    return None


def main(target: Path, way: str) -> int:
    """Measure, writing down after each figure; 1 where there is nothing to measure on."""
    if not torch.cuda.is_available():
        write_json(target, {"rows": [], "missing": {"torch": "torch sees no CUDA device"}})
        return 1
    torch.backends.cudnn.benchmark = True
    rows: list[dict[str, Any]] = []
    content = {"torch": torch.__version__, "gpu": torch.cuda.get_device_name(), "rows": rows}
    lost: str | None = None
    for name, size in GRAPHS:
        # Compiling takes a minute each: one session only.
        for batch in BATCHES[:1] if way.startswith("compiled") else BATCHES:
            row: dict[str, Any] = {"graph": f"{name}-{size}", "engine": f"torch {way}", "batch": batch}
            rows.append(row | {"error": f"not run after: {lost}"} if lost else measure(name, size, batch, way))
            print(rows[-1], flush=True)
            write_json(target, content)
            lost = lost or usable()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
