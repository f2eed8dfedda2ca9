"""Graph to plan, with TensorRT or TensorRT-RTX. No torch, no onnx: the library reads the graph itself.

Both are strongly typed: the precision of each operator is what the graph says.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from engines.errors import EngineError
from engines.manifest import Manifest
from engines.plan_progress import Progress, watch
from engines.plan_timing import keep_timings, use_timings
from engines.signals import held_back
from engines.tensorrt_library import Library

MAX_BATCH = 8
"""Sessions of one step, where nobody says otherwise"""
LARGEST_BATCH = 64


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
    with held_back() as signalled:
        return _plan(library, manifest, capability, max_batch, progress, timing, signalled)


def _plan(
    library: Library,
    manifest: Manifest,
    capability: str | None,
    max_batch: int,
    progress: Progress,
    timing: Path | None,
    stop: Callable[[], bool],
) -> bytes:
    trt, said = library.module, logger(library.module)
    builder = trt.Builder(said)
    network = builder.create_network(_network_flags(trt))
    parser = trt.OnnxParser(network, said)
    if not parser.parse_from_file(str(manifest.graph.path)):
        first = parser.get_error(0) if parser.num_errors else None
        why = f"{first.node_operator()} {first.node_name()}: {first.desc()}" if first else said.last
        raise EngineError(f"{library.name} cannot read {manifest.name}: {why.splitlines()[0]}")
    config = builder.create_builder_config()
    watch(trt, config, progress, stop)
    if capability is not None and not _set_capability(trt, config, capability):
        raise EngineError(f"{library.name} cannot build for {capability}")
    tf32 = getattr(trt.BuilderFlag, "TF32", None)
    if tf32 is not None:
        # It is on by default, and rounds what the graph keeps in float32 to the 11 bits of half precision.
        config.clear_flag(tf32)
    if batched(network):
        _add_profiles(builder, network, config, max_batch)
    # TensorRT-RTX builds the same with a timing cache and without, but wants a GPU to make one.
    kept = None if library.ahead_of_time else timing
    if kept is not None:
        use_timings(config, kept)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        if stop():
            raise EngineError("stopped")
        why = said.last
        if capability is not None:
            _clear(trt, builder, capability)
        raise EngineError(f"{library.name} cannot build {manifest.name}: {why}")
    if kept is not None:
        keep_timings(config, kept)
    return bytes(plan)


def _set_capability(trt: Any, config: Any, capability: str) -> bool:
    config.num_compute_capabilities = 1
    return bool(config.set_compute_capability(getattr(trt.ComputeCapability, capability.upper()), 0))


def _clear(trt: Any, builder: Any, capability: str) -> None:
    """Build next to nothing after a build that failed.

    Else something of that goes into this process's next plan: of TensorRT-RTX 1.7, 4 MB of a graph that it refused for
    sm75 into the plan for sm89.
    """
    network, config = builder.create_network(_network_flags(trt)), builder.create_builder_config()
    layer = network.add_unary(network.add_input("x", trt.float32, (1, 1)), trt.UnaryOperation.ABS)
    network.mark_output(layer.get_output(0))
    if _set_capability(trt, config, capability):
        builder.build_serialized_network(network, config)


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
