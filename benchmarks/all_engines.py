"""`clearcall bench engine --engine all`: every engine that is here, on the same frames."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks.warm_up import warm_up
from engines.choice import Candidate, candidates, choose
from engines.cuda import cuda_device
from engines.engine import Engine, LatentCache, StepInputs, StepOutputs
from engines.errors import BadInput, ClearcallError, EngineError
from engines.gpu import GpuEngine
from engines.manifest import Manifest

ALL = "all"
FRAMES = 100
"""Compared with the engine on the CPU, in float32, states carried along"""
FRAMES_TOGETHER = 4
"""Of each session of a batch, compared with what the same engine makes of them one session at a time"""
REFERENCE = "onnxruntime-cpu"

Row = dict[str, Any]


def names(wanted: str) -> list[str]:
    """The engines to measure; BadInput for an unknown one."""
    known = [candidate.name for candidate in candidates()]
    if wanted == ALL:
        return known
    if wanted not in known:
        raise BadInput(f"--engine must be {ALL}, {', '.join(known)}, not {wanted[:40]!r}")
    return [wanted]


def measure(
    manifests: Sequence[Manifest],
    wanted: Sequence[str],
    batches: Sequence[int],
    steps: int,
    offered: Sequence[Candidate] | None = None,
    frames: int = FRAMES,
    limits: Row | None = None,
    keep: Callable[[Row], None] = lambda so_far: None,
) -> dict[str, Any]:
    """Rows of figures, engines that cannot run a graph with the reason, and the limits of the GPU where there is one.

    Args:
        manifests: The graphs.
        wanted: Names of the engines.
        batches: Sessions a step.
        steps: Steps of each batch.
        offered: The engines that there are.
        frames: Frames compared with the CPU.
        limits: What the GPU can do at best, where it is known; else it is measured once an engine is there.
        keep: Given all there is so far, after each figure.
    """
    threads = max(1, (os.cpu_count() or 1) // 2)
    found = candidates(threads, max(batches), may_build=True) if offered is None else offered
    rows: list[Row] = []
    missing: dict[str, str] = {}
    content: Row = {"rows": rows, "missing": missing, "gpu": None, "limits": limits, "cpu_threads": threads}
    asked = False
    print(f"{'graph':<14}{'engine':<18}{'batch':>5}{'median ms':>11}{'p99 ms':>9}{'faces/s':>9}{'roof %':>8}"
          f"{'MB':>7}{'largest':>9}{'off by >1':>11}")  # fmt: skip
    for manifest in manifests:
        expected: list[StepOutputs] | None = None
        for name in wanted:
            try:
                before = _used()
                engine = choose([manifest], found, name).engines[manifest.crop]
                if expected is None:
                    # Only now: it takes a while, and in vain where no engine can be used.
                    expected = _pictures(choose([manifest], found, REFERENCE).engines[manifest.crop], frames)
                memory = None if before is None else ((_used() or 0) - before) / 1e6
                common = {"graph": manifest.name, "engine": name, "runs": engine.manifest.name, "memory_mb": memory}
                if isinstance(engine, GpuEngine):
                    common["recorded"] = engine.recorded
                common |= _difference(expected, _pictures(engine, frames))
            except ClearcallError as error:
                missing[f"{manifest.name} {name}"] = str(error)
                print(f"{manifest.name:<14}{name:<18}{error}", flush=True)
                keep(content)
                continue
            if not asked:
                asked, content["gpu"] = True, _gpu()
                content["limits"] = limits or _limits()
            work = _work(engine.manifest)
            for batch in batches:
                row = common | _together(engine, batch) | _timed(engine, batch, steps)
                rows.append(row | _roof(work, batch, content["limits"]))
                _print(rows[-1])
                keep(content)
    return content


def pattern(manifest: Manifest, index: int) -> StepInputs:
    """Frame `index` of a moving, noisy pattern."""
    rng, size = np.random.default_rng(index), manifest.crop
    rows, columns = np.mgrid[0:size, 0:size]
    wave = 120 + 70 * np.sin((columns + 3 * index) / 17) * np.cos(rows / 23)
    y = np.clip(wave + rng.normal(0, 10, (size, size)), 0, 255).astype(np.uint8)[None, None]
    uv = np.clip(128 + rng.normal(0, 6, manifest.shape("uv")), 0, 255).astype(np.uint8)
    regions = np.full(manifest.shape("regions"), 1 / len(manifest.regions), np.float32)
    return StepInputs(y, uv, regions, np.ones(manifest.shape("prompt"), np.float32), 1.0)


def _pictures(engine: Engine, frames: int) -> list[StepOutputs]:
    return _restored(engine, (pattern(engine.manifest, index) for index in range(frames)))


def _restored(engine: Engine, film: Iterable[StepInputs]) -> list[StepOutputs]:
    cache = engine.new_cache()
    return [_copied(engine.step(frame, cache)) for frame in film]


def _copied(step: StepOutputs) -> StepOutputs:
    return StepOutputs(step.y.copy(), step.uv.copy(), step.prompt_hat.copy())


def _difference(expected: Sequence[StepOutputs], found: Sequence[StepOutputs]) -> Row:
    """Largest difference in steps of 8 bits, and the share of samples that differ by more than one."""
    largest, beyond, total = 0, 0, 0
    for a, b in zip(expected, found, strict=True):
        for one, other in ((a.y, b.y), (a.uv, b.uv)):
            steps = np.abs(one.astype(np.int16) - other.astype(np.int16))
            largest, beyond = max(largest, int(steps.max())), beyond + int((steps > 1).sum())
            total += steps.size
    return {"largest_difference": largest, "beyond_one": beyond / total}


def _together(engine: Engine, batch: int) -> Row:
    """What sessions of a batch get, each with frames of its own, against what each gets alone."""
    if not isinstance(engine, GpuEngine) or not 1 < batch <= engine.max_batch:
        return {}
    films = [
        [pattern(engine.manifest, FRAMES * session + index) for index in range(FRAMES_TOGETHER)]
        for session in range(batch)
    ]
    try:
        alone = [step for film in films for step in _restored(engine, film)]
        caches, together = [engine.new_cache() for _ in films], []
        for index in range(FRAMES_TOGETHER):
            frames = [(film[index], cache) for film, cache in zip(films, caches, strict=True)]
            together.append([_copied(step) for step in engine.step_together(frames)])
    except EngineError as error:
        return {"batch": batch, "error": str(error)}
    return _difference(alone, [step for session in zip(*together, strict=True) for step in session])


def _timed(engine: Engine, batch: int, steps: int) -> Row:
    """Time steps of so many sessions; each from planes in host memory to planes in host memory."""
    given = [pattern(engine.manifest, index) for index in range(batch)]
    try:
        caches = [engine.new_cache() for _ in range(batch)]
        step = _stepper(engine, given, caches)
        warm_up(step)
        taken = []
        for _ in range(steps):
            began = time.perf_counter()
            step()
            taken.append(1000 * (time.perf_counter() - began))
    except EngineError as error:
        return {"batch": batch, "error": str(error)}
    median, slow = (float(np.percentile(taken, share)) for share in (50, 99))
    return {"batch": batch, "median_ms": median, "p99_ms": slow, "faces_per_s": 1000 * batch / median}


def _stepper(engine: Engine, given: Sequence[StepInputs], caches: Sequence[LatentCache]) -> Callable[[], object]:
    if isinstance(engine, GpuEngine) and 1 < len(given) <= engine.max_batch:
        frames = list(zip(given, caches, strict=True))
        return lambda: engine.step_together(frames)  # type: ignore[arg-type]
    # An engine that takes one session at a time does them one after the other.
    return lambda: [engine.step(inputs, cache) for inputs, cache in zip(given, caches, strict=True)]


def _used() -> int | None:
    """Bytes of the GPU's memory in use by all, None without a GPU."""
    try:
        device = cuda_device()
        device.enter()
        free, total = device.memory()
    except EngineError:
        return None
    return total - free


def _gpu() -> str | None:
    """Name and compute capability."""
    try:
        device = cuda_device()
    except EngineError:
        return None
    return f"{device.name}, {device.capability}"


def _limits() -> Row | None:
    """Measured limits of the GPU; None where there is none, or it will not be measured."""
    from benchmarks.gpu_limits import measure as measure_limits

    try:
        return asdict(measure_limits(cuda_device()))
    except EngineError:
        return None


def _work(manifest: Manifest) -> Any:
    try:
        from benchmarks.graph_work import count
    except ImportError:
        return None
    return count(manifest.graph.path)


def _roof(work: Any, batch: int, limits: Row | None) -> Row:
    if work is None:
        return {}
    row: Row = {"gmac": batch * work.macs / 1e9, "least_mb": work.bytes(batch) / 1e6}
    if limits and limits["bytes_per_s"] and limits["macs_per_s"]:
        row["roof_ms"] = 1000 * work.seconds(batch, limits["bytes_per_s"], limits["macs_per_s"])
    return row


def _print(row: Row) -> None:
    if "error" in row:
        print(f"{row['graph']:<14}{row['engine']:<18}{row['batch']:>5}  {row['error']}")
        return
    roof = f"{100 * row['roof_ms'] / row['median_ms']:.1f}" if row.get("roof_ms") else "-"
    memory = "-" if row["memory_mb"] is None else f"{row['memory_mb']:.0f}"
    print(f"{row['graph']:<14}{row['engine']:<18}{row['batch']:>5}{row['median_ms']:>11.3f}{row['p99_ms']:>9.3f}"
          f"{row['faces_per_s']:>9.0f}{roof:>8}{memory:>7}{row['largest_difference']:>9}"
          f"{100 * row['beyond_one']:>9.3f} %{'' if row.get('recorded', True) else '  not recorded'}",
          flush=True)  # fmt: skip
