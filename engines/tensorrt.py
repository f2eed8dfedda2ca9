"""TensorRT and TensorRT-RTX: a plan from the cache, its states on the device.

Written against the documented Python interface of TensorRT 10 and TensorRT-RTX 1.7. Building was proven on machines
without a GPU; `benchmarks/gpu.sh` is what checks the running on one with it.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engines.batching import WAIT_S
from engines.cuda import CudaDevice
from engines.device import Device, Queue
from engines.errors import EngineError, EngineLost, ModelError
from engines.gpu import GpuEngine
from engines.manifest import Manifest
from engines.plan_build import MAX_BATCH, logger, profile_of
from engines.plan_cache import KERNELS, plan_folder
from engines.plan_supply import plan_for
from engines.tensorrt_library import Library
from engines.whole_file import replace_file


class PlanRunner:
    """A plan, ready to run; see `Runner`."""

    def __init__(
        self,
        library: Library,
        plan: bytes,
        manifest: Manifest,
        device: Device,
        queue: Queue,
        kernels: Path | None = None,
    ) -> None:
        """Load a plan.

        Raises:
            EngineError: The library refuses it.
            ModelError: It is not of this manifest.
            OutOfDeviceMemory: There is no room to run it in.
        """
        self.name = library.name
        trt, self._said = library.module, logger(library.module)
        self._runtime = trt.Runtime(self._said)
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise EngineError(f"the plan of {manifest.name} is refused: {self._said.last}")
        check_tensors(trt, self._engine, manifest)
        self._shapes = {t.name: t.shape[1:] for t in manifest.inputs} | {s.input: s.shape[1:] for s in manifest.states}
        self.batched = self._engine.get_tensor_shape(manifest.inputs[0].name)[0] == -1
        self._ranges = _ranges(self._engine, manifest.inputs[0].name) if self.batched else [(1, 1, 1)]
        self.max_batch = self._ranges[-1][2]
        self.capturable, self.records = True, False
        self._queue = queue
        self._contexts: dict[int, Any] = {}
        self._settings = _settings(trt, self._engine, kernels)
        self._kernels = kernels
        # Only one context runs at a time, in one queue: they share the room that would else be had for each.
        self._room = self._engine.device_memory_size_v2
        self._shared = device.allocate(self._room)
        weakref.finalize(self, device.free, self._shared)
        self._user_managed = trt.ExecutionContextAllocationStrategy.USER_MANAGED
        if self._settings is not None:
            self._settings.set_execution_context_allocation_strategy(self._user_managed)

    def run(self, batch: int, addresses: Mapping[str, int], queue: Queue) -> None:
        """See `Runner`; EngineLost when the library refuses."""
        context = self._contexts.get(batch)
        if context is None:
            context = self._contexts[batch] = self._new_context(batch)
        for name, address in addresses.items():
            context.set_tensor_address(name, address)
        if not context.execute_async_v3(queue.handle):
            raise EngineLost(f"{self.name} failed: {self._said.last}")

    def _new_context(self, batch: int) -> Any:
        """A context for batches of this size alone: what is recorded refers to it, so its shapes must stay."""
        profile = profile_of(batch, self._ranges)
        how = self._user_managed if self._settings is None else self._settings
        context = self._engine.create_execution_context(how)
        if context is None:
            raise EngineLost(f"{self.name} has no room to run in: {self._said.last}")
        context.set_device_memory(self._shared, self._room)
        if profile and not context.set_optimization_profile_async(profile, self._queue.handle):
            raise EngineLost(f"{self.name} refuses profile {profile}: {self._said.last}")
        for name, rest in self._shapes.items() if self.batched else ():
            if not context.set_input_shape(name, (batch, *rest)):
                raise EngineLost(f"{self.name} refuses a batch of {batch}: {self._said.last}")
        return context

    def keep_kernels(self) -> None:
        """Write down what TensorRT-RTX compiled for this GPU, so that the next start need not."""
        kept = None if self._settings is None else self._settings.get_runtime_cache()
        if kept is not None and self._kernels is not None:
            # Nothing depends on it but the time of the next start.
            with contextlib.suppress(OSError):
                replace_file(self._kernels, bytes(kept.serialize()))


def check_tensors(trt: Any, engine: Any, manifest: Manifest) -> None:
    """ModelError unless the plan has the manifest's inputs, outputs and states, of their shapes and types."""
    wanted = {t.name: (t.shape[1:], t.dtype) for t in (*manifest.inputs, *manifest.outputs)}
    wanted |= {name: (s.shape[1:], s.dtype) for s in manifest.states for name in (s.input, s.output)}
    kinds = {trt.float32: "float32", trt.float16: "float16", trt.uint8: "uint8"}
    found = {}
    for index in range(engine.num_io_tensors):
        name = engine.get_tensor_name(index)
        found[name] = (tuple(engine.get_tensor_shape(name))[1:], kinds.get(engine.get_tensor_dtype(name)))
    if wanted != found:
        odd = sorted(n for n in wanted.keys() | found.keys() if wanted.get(n) != found.get(n))
        raise ModelError(f"the plan of {manifest.name} does not match its manifest in {', '.join(odd[:4])}")


def _ranges(engine: Any, name: str) -> list[tuple[int, int, int]]:
    """Batch sizes of each profile: least, best, most."""
    found = []
    for index in range(engine.num_optimization_profiles):
        least, best, most = (int(shape[0]) for shape in engine.get_tensor_profile_shape(name, index))
        found.append((least, best, most))
    return found


def _settings(trt: Any, engine: Any, kernels: Path | None) -> Any:
    """TensorRT-RTX's settings of a context, with the kernels it compiled before; None for TensorRT, which has none."""
    strategies = getattr(trt, "DynamicShapesKernelSpecializationStrategy", None)
    if strategies is None:
        return None
    settings = engine.create_runtime_config()
    # Recorded steps keep the kernels they were recorded with: none that are to be replaced by better ones later.
    settings.dynamic_shapes_kernel_specialization_strategy = strategies.EAGER
    if kernels is not None:
        kept = settings.create_runtime_cache()
        with contextlib.suppress(OSError):
            # What does not fit this GPU or version is ignored by the library.
            kept.deserialize(kernels.read_bytes())
        settings.set_runtime_cache(kept)
    return settings


def open_tensorrt(
    library: Library,
    manifest: Manifest,
    device: CudaDevice,
    max_batch: int = MAX_BATCH,
    may_build: bool = False,
    folder: Path | None = None,
    wait_s: float = WAIT_S,
) -> GpuEngine:
    """An engine from the plan in the cache; see `plan_for` about the arguments and the errors."""
    folder = plan_folder() if folder is None else folder
    device.enter()
    key, plan = plan_for(library, manifest, device, max_batch, may_build, folder)
    queue = device.queue()
    kernels = (folder / key.file_name).with_suffix(KERNELS)
    runner = PlanRunner(library, plan, manifest, device, queue, kernels)
    engine = GpuEngine(manifest, device, queue, runner, wait_s)
    runner.keep_kernels()
    return engine
