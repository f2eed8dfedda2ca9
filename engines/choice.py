"""Which engine runs a model: the best one that really restores a frame here, found out once at the start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from engines.engine import Engine, StepInputs
from engines.errors import BadInput, EngineError, ModelError, first_line
from engines.line import EngineLine, Place
from engines.manifest import Manifest, half_family, read_family
from engines.onnx_runtime import CPU, OrtEngine
from engines.plan_build import MAX_BATCH

AUTO = "auto"
NAMES = ("tensorrt", "tensorrt-rtx", "onnxruntime-cuda", CPU)
"""The best first"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to run graphs."""

    name: str
    open: Callable[[Manifest], Engine]
    """Any error it raises is the reason why it cannot be used."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The outcome."""

    name: str
    engines: dict[int, Engine]
    """Crop edge to engine; in line behind each are the engines after it."""
    refused: dict[str, str]
    """Name of each better engine to the reason why it is not used"""


def choose(manifests: Sequence[Manifest], candidates: Sequence[Candidate], demanded: str = AUTO) -> Chosen:
    """Open all graphs of a model with the first candidate that can, and run a frame of each.

    Args:
        manifests: The graphs, one a crop size.
        candidates: The best first.
        demanded: Name of the only candidate that will do, or `auto`.

    Raises:
        BadInput: No candidate is named so.
        ModelError: A file of the model is damaged.
        EngineError: The one demanded cannot be used, or none can.
    """
    names = [candidate.name for candidate in candidates]
    if demanded != AUTO and demanded not in names:
        raise BadInput(f"--engine must be {AUTO}, {', '.join(names)}, not {demanded[:40]!r}")
    refused: dict[str, str] = {}
    for index, candidate in enumerate(candidates):
        if demanded not in (AUTO, candidate.name):
            continue
        try:
            opened = [_opened(candidate, manifest) for manifest in manifests]
        except Exception as error:  # a library may raise anything, and the next candidate may still work
            if isinstance(error, ModelError) and index == len(candidates) - 1:
                raise
            refused[candidate.name] = first_line(error)
            continue
        rest = candidates[index + 1 :] if demanded == AUTO else ()
        lines = [_line(engine, manifest, rest) for engine, manifest in zip(opened, manifests, strict=True)]
        return Chosen(candidate.name, {m.crop: e for m, e in zip(manifests, lines, strict=True)}, refused)
    if demanded != AUTO:
        raise EngineError(f"engine {demanded} cannot be used: {refused[demanded]}")
    raise EngineError(f"no engine can be used: {'; '.join(f'{name}: {why}' for name, why in refused.items())}")


def _line(engine: Engine, manifest: Manifest, rest: Sequence[Candidate]) -> Engine:
    if not rest:
        return engine
    return EngineLine(engine, [Place(c.name, partial(_opened, c, manifest)) for c in rest])


def _opened(candidate: Candidate, manifest: Manifest) -> Engine:
    engine = candidate.open(manifest)
    check(engine)
    return engine


def check(engine: Engine) -> None:
    """Run frames; EngineError unless strength 0 gives back every bit and the estimate of strength 1 is a number."""
    manifest, rng = engine.manifest, np.random.default_rng(1)
    y, uv = (rng.integers(0, 256, manifest.shape(name), np.uint8) for name in ("y", "uv"))
    regions, prompt = (np.full(manifest.shape(name), 0.5, np.float32) for name in ("regions", "prompt"))
    given, cache = StepInputs(y, uv, regions, prompt, 0.0), engine.new_cache()
    for _ in range(2):
        out = engine.step(given, cache)
        if not (np.array_equal(out.y, y) and np.array_equal(out.uv, uv)):
            raise EngineError(f"{manifest.name} changes the picture at strength 0: it computes wrongly here")
    if not np.isfinite(engine.step(replace(given, strength=1.0), cache).prompt_hat).all():
        raise EngineError(f"{manifest.name} computes what is not a number here")


def half_or(manifest: Manifest) -> Manifest:
    """The same graph in half precision where the model has one, else the graph itself."""
    try:
        family = read_family(half_family(manifest.family), manifest.graph.path.parent)
    except BadInput:
        return manifest
    return next((m for m in family if m.crop == manifest.crop), manifest)


def candidates(
    threads: int = 1, max_batch: int = MAX_BATCH, may_build: bool = False, half: bool = True
) -> list[Candidate]:
    """All engines that there are, the best first.

    Args:
        threads: Of the engine on the CPU.
        max_batch: Sessions of one step on a GPU.
        may_build: Whether a TensorRT plan that is missing is built, which takes minutes.
        half: Whether GPUs take the same graphs in half precision, where there are any.
    """

    def chosen(manifest: Manifest) -> Manifest:
        return half_or(manifest) if half else manifest

    def with_tensorrt(name: str, manifest: Manifest) -> Engine:
        # Here and not above: a machine without a GPU need not load what only a GPU can use.
        from engines import tensorrt
        from engines.cuda import cuda_device
        from engines.tensorrt_library import open_library

        device, library = cuda_device(), open_library(name)
        return tensorrt.open_tensorrt(library, chosen(manifest), device, max_batch, may_build=may_build)

    def with_cuda(manifest: Manifest) -> Engine:
        from engines.cuda import cuda_device
        from engines.onnx_cuda import open_onnx_cuda

        return open_onnx_cuda(chosen(manifest), cuda_device(), max_batch)

    opening: dict[str, Callable[[Manifest], Engine]] = {
        "tensorrt": partial(with_tensorrt, "tensorrt"),
        "tensorrt-rtx": partial(with_tensorrt, "tensorrt-rtx"),
        "onnxruntime-cuda": with_cuda,
        CPU: lambda manifest: OrtEngine(manifest, threads),
    }
    return [Candidate(name, opening[name]) for name in NAMES]
