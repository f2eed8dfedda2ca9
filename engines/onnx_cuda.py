"""ONNX Runtime on an NVIDIA GPU: needs no build, its states stay on the device."""

from __future__ import annotations

import contextlib
import ctypes
import io
import logging
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import onnxruntime

from engines.batching import WAIT_S
from engines.cuda import CudaDevice
from engines.device import Device, Queue
from engines.errors import EngineError, EngineLost, OutOfDeviceMemory, first_line
from engines.gpu import GpuEngine
from engines.install_hint import pip_install
from engines.manifest import Manifest
from engines.onnx_runtime import PROVIDER as CPU_PROVIDER
from engines.onnx_runtime import check_signature

PROVIDER = "CUDAExecutionProvider"
MEMORY_WORDS = ("out of memory", "failed to allocate")
WARNING, FATAL = 2, 4
"""ONNX Runtime's severities; the first is what it begins with."""

log = logging.getLogger(__name__)


class OrtCudaRunner:
    """A graph in a session of ONNX Runtime; see `Runner`."""

    name = "onnxruntime-cuda"
    capturable = False
    """ONNX Runtime records by itself"""

    def __init__(
        self, manifest: Manifest, device: Device, queue: Queue, max_batch: int, graphs: bool = True
    ) -> None:
        """Load a graph.

        Args:
            manifest: What to load.
            device: Where it runs.
            queue: Where all its work goes.
            max_batch: Sessions of one step; 1 where the graph takes no more.
            graphs: Record each size of a batch, and launch it as one.

        Raises:
            EngineError: ONNX Runtime has no CUDA here, or cannot run all of the graph on the GPU.
            ModelError: A file is damaged or does not match its manifest.
        """
        manifest.graph.check()
        manifest.weights.check()
        if PROVIDER not in onnxruntime.get_available_providers():
            raise EngineError(f"this ONNX Runtime is built without CUDA: {pip_install('onnxruntime-gpu')}")
        # Recordings and the handles of CUDA's libraries are those of the thread that runs, and stay when it is gone.
        self._worker = ThreadPoolExecutor(1, "onnxruntime-cuda", device.enter)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = FATAL  # what goes wrong is raised
        # An operator on the CPU in between would cost more than the step: better another engine.
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        settings = {
            "user_compute_stream": str(queue.handle),
            "enable_cuda_graph": str(int(graphs)),
        }
        # What is float32 here is so because it matters: TF32 has 11 bits of it, no more than half precision. Not by
        # "use_tf32", which keeps the convolutions in half precision off the tensor cores as well.
        os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")
        providers = [(PROVIDER, settings)]
        try:
            with _quiet():
                self._session = self._worker.submit(
                    onnxruntime.InferenceSession, str(manifest.graph.path), options, providers=providers
                ).result()
        except Exception as error:  # its errors have no common base
            # What could not be loaded it only logs, and then complains of a graph without a GPU.
            why = why_not_loaded() or first_line(error) + left_on_cpu(manifest, queue)
            raise EngineError(f"ONNX Runtime cannot run {manifest.name} on the GPU: {why}") from error
        if self._session.get_providers()[:1] != [PROVIDER]:
            why = why_not_loaded() or "its CUDA or cuDNN libraries are missing or not for this GPU"
            raise EngineError(f"ONNX Runtime fell back to the CPU: {why}")
        check_signature(self._session, manifest)
        self.max_batch = max_batch if isinstance(self._session.get_inputs()[0].shape[0], str) else 1
        self.records = graphs
        self._inputs = [(t.name, t.shape[1:], t.dtype) for t in manifest.inputs]
        self._inputs += [(s.input, s.shape[1:], s.dtype) for s in manifest.states]
        self._outputs = [(t.name, t.shape[1:], t.dtype) for t in manifest.outputs]
        self._outputs += [(s.output, s.shape[1:], s.dtype) for s in manifest.states]
        self._bindings: dict[int, tuple[Any, Any]] = {}

    def run(self, batch: int, addresses: Mapping[str, int], queue: Queue) -> None:
        """See `Runner`; EngineLost when it fails."""
        known = self._bindings.get(batch)
        if known is None:
            known = self._bindings[batch] = self._bind(batch, addresses), self._options(batch)
        try:
            self._worker.submit(self._session.run_with_iobinding, *known).result()
        except Exception as error:  # its errors have no common base
            kind = OutOfDeviceMemory if any(w in str(error).lower() for w in MEMORY_WORDS) else EngineLost
            raise kind(f"{self.name} failed: {_core(error)}") from error

    def _bind(self, batch: int, addresses: Mapping[str, int]) -> Any:
        binding = self._session.io_binding()
        for name, rest, dtype in self._inputs:
            binding.bind_input(name, "cuda", 0, dtype, [batch, *rest], addresses[name])
        for name, rest, dtype in self._outputs:
            binding.bind_output(name, "cuda", 0, dtype, [batch, *rest], addresses[name])
        return binding

    def _options(self, batch: int) -> Any:
        options = onnxruntime.RunOptions()
        if self.records:
            options.add_run_config_entry("gpu_graph_id", str(batch))
            # The queue is waited for once a frame, by the engine. Only here: a run that is not recorded gives
            # back its pinned memory when it waits, and else never.
            options.add_run_config_entry("disable_synchronize_execution_providers", "1")
        return options


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Where CUDA is missing ONNX Runtime says so at length; the reason is told in one line anyway."""
    onnxruntime.set_default_logger_severity(FATAL)
    try:
        if hasattr(onnxruntime, "preload_dlls"):
            # CUDA and cuDNN may lie in Python packages, where the loader does not look.
            with contextlib.redirect_stdout(io.StringIO()):
                onnxruntime.preload_dlls()
        yield
    finally:
        onnxruntime.set_default_logger_severity(WARNING)


def _core(error: Exception) -> str:
    """What CUDA said, of an error that begins with the source's line and the template's arguments."""
    line = first_line(error)
    return line[max(0, line.find("CUDA failure")) :].partition(" ; ")[0]


def why_not_loaded() -> str | None:
    """What keeps ONNX Runtime's CUDA library from being loaded, such as a library it needs; None if nothing does."""
    prefix, suffix = ("", ".dll") if sys.platform == "win32" else ("lib", ".so")
    folder = Path(onnxruntime.__file__).parent / "capi"
    try:
        for name in ("shared", "cuda"):
            # Global: the second takes from the first what it does not name as needed.
            ctypes.CDLL(str(folder / f"{prefix}onnxruntime_providers_{name}{suffix}"), mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        return first_line(error)
    return None


def left_on_cpu(manifest: Manifest, queue: Queue) -> str:
    """Which operators of a graph would run on the CPU, " (Where 2, Pad)"; nothing where ONNX Runtime cannot tell."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = FATAL  # what goes wrong is raised
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    providers = [(PROVIDER, {"user_compute_stream": str(queue.handle)}), CPU_PROVIDER]
    try:
        with _quiet():
            session = onnxruntime.InferenceSession(str(manifest.graph.path), options, providers=providers)
        placed = session.get_provider_graph_assignment_info()
    except Exception:  # it is only to tell more of an error
        return ""
    counted = Counter(node.op_type for part in placed if part.ep_name == CPU_PROVIDER for node in part.get_nodes())
    names = [f"{name} {count}" if count > 1 else name for name, count in counted.most_common()]
    return f" ({', '.join(names)})" if names else ""


def open_onnx_cuda(
    manifest: Manifest, device: CudaDevice, max_batch: int, graphs: bool = True, wait_s: float = WAIT_S
) -> GpuEngine:
    """An engine; EngineError where it cannot be had. One that refuses to be recorded runs without."""
    device.enter()

    def opened(graphs: bool) -> GpuEngine:
        # A recording that failed may have left its queue of no use: each has its own.
        queue = device.queue()
        return GpuEngine(manifest, device, queue, OrtCudaRunner(manifest, device, queue, max_batch, graphs), wait_s)

    try:
        return opened(graphs)
    except OutOfDeviceMemory:
        raise
    except EngineLost as error:  # of a step; what cannot be loaded is another EngineError
        if not graphs:
            raise
        log.warning("%s of %s is not recorded: %s", OrtCudaRunner.name, manifest.name, error)
    return opened(False)
