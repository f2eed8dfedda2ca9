"""Graph to plan, with TensorRT or TensorRT-RTX. No torch, no onnx: the library reads the graph itself.

Both are strongly typed: the precision of each operator is what the graph says.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from engines.errors import EngineError
from engines.manifest import Manifest
from engines.tensorrt_library import Library

MAX_BATCH = 8
"""Sessions of one step, where nobody says otherwise"""
LARGEST_BATCH = 64
Progress = Callable[[str, float], bool]
"""Told what is being done and the share that is done, 0 to 1; returns whether to go on."""


def profiles(max_batch: int) -> list[tuple[int, int, int]]:
    """Ranges of batch sizes (least, best, most) that kernels are chosen for: 1, 2 to 4, 5 to 8, 9 to 16 ..."""
    ranges, least, most = [(1, 1, 1)], 2, 4
    while least <= max_batch:
        end = min(most, max_batch)
        ranges.append((least, end, end))
        least, most = most + 1, 2 * most
    return ranges


def profile_of(batch: int, ranges: list[tuple[int, int, int]]) -> int:
    """Index of the range that a batch belongs to; ValueError beyond the last."""
    for index, (least, _, most) in enumerate(ranges):
        if least <= batch <= most:
            return index
    raise ValueError(f"no plan for a batch of {batch}")


class Steps:
    """Share of a build that is done, from a library's nested phases; what it tells never falls."""

    def __init__(self) -> None:
        self._open: list[tuple[str, int, int]] = []
        self._share = 0.0

    def start(self, name: str, steps: int) -> float:
        """A phase begins inside the one that runs."""
        self._open.append((name, 0, max(1, steps)))
        return self.share()

    def step(self, name: str, index: int) -> float:
        """A step of a phase is done."""
        self._open = [(n, index + 1 if n == name else i, count) for n, i, count in self._open]
        return self.share()

    def finish(self, name: str) -> float:
        """A phase is done, and all within it."""
        names = [n for n, _, _ in self._open]
        if name in names:
            del self._open[len(names) - 1 - names[::-1].index(name) :]
        return self.share()

    def share(self) -> float:
        """0 to 1."""
        share, weight = 0.0, 1.0
        for _, done, count in self._open:
            share += weight * min(done, count) / count
            weight /= count
        self._share = max(self._share, min(1.0, share))
        return self._share


def build(
    library: Library,
    manifest: Manifest,
    capability: str | None,
    max_batch: int,
    progress: Progress,
    timing: Path | None = None,
) -> bytes:
    """Build a plan.

    Args:
        library: What builds it.
        manifest: The graph.
        capability: Compute capability to build for, of those the library names; None for this machine's GPU.
        max_batch: Sessions that one step may take; 1 where the graph takes one only.
        progress: Told how far it is.
        timing: File of the timing cache, kept where the library has a use for it.

    Raises:
        ModelError: The graph or its weights are damaged.
        EngineError: The library cannot build it, or was told to stop.
    """
    manifest.graph.check()
    manifest.weights.check()
    trt, said = library.module, logger(library.module)
    builder = trt.Builder(said)
    network = builder.create_network(_network_flags(trt))
    parser = trt.OnnxParser(network, said)
    if not parser.parse_from_file(str(manifest.graph.path)):
        first = parser.get_error(0) if parser.num_errors else None
        why = f"{first.node_operator()} {first.node_name()}: {first.desc()}" if first else said.last
        raise EngineError(f"{library.name} cannot read {manifest.name}: {why.splitlines()[0]}")
    config = builder.create_builder_config()
    stopped = _watch(trt, config, progress)
    if capability is not None:
        config.num_compute_capabilities = 1
        if not config.set_compute_capability(getattr(trt.ComputeCapability, capability.upper()), 0):
            raise EngineError(f"{library.name} cannot build for {capability}")
    if batched(network):
        _add_profiles(builder, network, config, max_batch)
    # TensorRT-RTX builds the same with a timing cache and without, but wants a GPU to make one.
    caching = timing is not None and not library.ahead_of_time
    if caching:
        known = timing.read_bytes() if timing is not None and timing.is_file() else b""
        config.set_timing_cache(config.create_timing_cache(known), ignore_mismatch=False)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise EngineError("stopped" if stopped() else f"{library.name} cannot build {manifest.name}: {said.last}")
    if caching and timing is not None:
        timing.parent.mkdir(parents=True, exist_ok=True)
        timing.write_bytes(bytes(config.get_timing_cache().serialize()))
    return bytes(plan)


def batched(network: Any) -> bool:
    """Whether the graph takes several sessions at once."""
    return bool(network.get_input(0).shape[0] == -1)


def _network_flags(trt: Any) -> int:
    flag = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    return 0 if flag is None else 1 << int(flag)


def _add_profiles(builder: Any, network: Any, config: Any, max_batch: int) -> None:
    for sizes in profiles(max_batch):
        profile = builder.create_optimization_profile()
        for index in range(network.num_inputs):
            tensor = network.get_input(index)
            rest = tuple(tensor.shape)[1:]
            profile.set_shape(tensor.name, *((size, *rest) for size in sizes))
        if config.add_optimization_profile(profile) < 0:
            raise EngineError(f"a profile for batches of {sizes[0]} to {sizes[2]} was refused")


def logger(trt: Any) -> Any:
    """The library's logger that keeps the last error, as `last`, for an EngineError to tell it in one line."""

    class Logger(trt.ILogger):  # type: ignore[misc]
        last = "no reason given"

        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:
            if severity <= trt.ILogger.ERROR:
                self.last = message.strip().splitlines()[0] if message.strip() else self.last

    return Logger()


def _watch(trt: Any, config: Any, progress: Progress) -> Callable[[], bool]:
    """Report to `progress`; the result tells whether it said to stop."""
    steps = Steps()
    going = [True]

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            going[0] &= progress(phase_name, steps.start(phase_name, num_steps))

        def step_complete(self, phase_name: str, step: int) -> bool:
            going[0] &= progress(phase_name, steps.step(phase_name, step))
            return going[0]

        def phase_finish(self, phase_name: str) -> None:
            progress(phase_name, steps.finish(phase_name))

    config.progress_monitor = Monitor()
    return lambda: not going[0]
