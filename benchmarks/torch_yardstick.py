"""The generator in torch on a GPU: as it is, compiled, and as a CUDA graph; what an engine has to beat.

Started as `python -m benchmarks.torch_yardstick FILE.json WAY ...`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.gpu_models import random_generator
from export.fold import folded
from export.wrapper import GraphModule

GRAPHS = (("lite", 384), ("base", 512))
BATCHES = (1, 4, 8, 16)
WAYS = ("eager", "graph", "compiled", "compiled graph")
WARM_UP, STEPS = 20, 100


class Case:
    """One graph and batch in torch, states carried along in place, planes from and to pinned memory."""

    def __init__(self, name: str, size: int, batch: int, compiled: bool) -> None:
        module = GraphModule(folded(random_generator(name)), size).eval().cuda()
        self._module: Callable[..., Any] = module
        if compiled:
            self._module = torch.compile(module, mode="max-autotune-no-cudagraphs")
        example = module.example_inputs(batch)
        self._host = {n: example[n].pin_memory() for n in ("y", "uv")}
        self._inputs = {n: t.cuda() for n, t in example.items()}
        self._inputs["keep"].fill_(1.0)
        self._states = module.state_names()
        self._back = [torch.empty_like(t).pin_memory() for t in self._host.values()]

    @torch.no_grad()
    def enqueue(self) -> None:
        """Put one step in line."""
        for name, host in self._host.items():
            self._inputs[name].copy_(host, non_blocking=True)
        with torch.autocast("cuda", torch.float16):
            result = self._module(*self._inputs.values())
        for name, state in zip(self._states, result[3:], strict=True):
            self._inputs[name].copy_(state)
        for back, plane in zip(self._back, result[:2], strict=True):
            back.copy_(plane, non_blocking=True)


def timed(step: Callable[[], None]) -> dict[str, float]:
    """Milliseconds of a step with its wait: median and 99th percentile."""
    taken = []
    for index in range(WARM_UP + STEPS):
        began = time.perf_counter()
        step()
        torch.cuda.synchronize()
        if index >= WARM_UP:
            taken.append(1000 * (time.perf_counter() - began))
    return {"median_ms": float(np.median(taken)), "p99_ms": float(np.percentile(taken, 99))}


def recorded(case: Case) -> Callable[[], None]:
    """The step as a CUDA graph."""
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch's own
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
        return row | {"error": str(error).splitlines()[0] if str(error) else type(error).__name__}
    return row | times | {"faces_per_s": 1000 * batch / times["median_ms"]}


def main(target: Path, ways: Sequence[str]) -> None:
    """Measure, writing down after each figure."""
    if not torch.cuda.is_available():
        raise SystemExit("torch sees no CUDA device: nothing to measure")
    rows: list[dict[str, Any]] = []
    content = {"torch": torch.__version__, "gpu": torch.cuda.get_device_name(), "rows": rows}
    for way in ways:
        for name, size in GRAPHS:
            # Compiling takes a minute each: one session only.
            for batch in BATCHES[:1] if way.startswith("compiled") else BATCHES:
                rows.append(measure(name, size, batch, way))
                print(json.dumps(rows[-1]), flush=True)
                target.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
                torch.cuda.empty_cache()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or WAYS)
