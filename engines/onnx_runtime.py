"""ONNX Runtime on the CPU."""

from __future__ import annotations

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from engines.engine import LatentCache, StepInputs, StepOutputs
from engines.errors import EngineError, ModelError, first_line
from engines.manifest import BATCH_AXIS, Manifest

CPU = "onnxruntime-cpu"
"""Name of this engine"""
PROVIDER = "CPUExecutionProvider"
DTYPES = {"tensor(uint8)": "uint8", "tensor(float)": "float32", "tensor(float16)": "float16"}
"""ONNX Runtime's names to numpy's."""


class OrtCache:
    """Two sets of state and output buffers: a step reads one and writes the other."""

    def __init__(self, manifest: Manifest, session: onnxruntime.InferenceSession) -> None:
        self._sets = tuple({s.input: np.full(s.shape, s.initial, s.dtype) for s in manifest.states} for _ in range(2))
        self._outputs = tuple({t.name: np.zeros(t.shape, t.dtype) for t in manifest.outputs} for _ in range(2))
        self._states = manifest.states
        self.session = session
        self._bindings = (session.io_binding(), session.io_binding())
        self._turn = 0
        self._keep = np.zeros((1, 1), np.float32)

    def forget(self) -> None:
        """Make the next step start from nothing."""
        self._keep[:] = 0.0

    def shift(self, right: int, down: int) -> bool:
        """Move what is remembered against a crop that moved; what comes in at the sides is zero."""
        if any(right % s.stride or down % s.stride for s in self._states):
            return False
        current = self._sets[self._turn]
        for state in self._states:
            array = current[state.input]
            moved = np.zeros_like(array)
            old, new = _overlap(array.shape[-2:], down // state.stride, right // state.stride)
            moved[(..., *new)] = array[(..., *old)]
            array[...] = moved
        return True

    def adopt(self, other: LatentCache) -> bool:
        """Copy what another graph on the CPU remembers, where its states have the same names, shapes and types."""
        if not isinstance(other, OrtCache) or other._states != self._states:
            return False
        for name, array in other._sets[other._turn].items():
            self._sets[self._turn][name][...] = array
        self._keep[...] = other._keep
        return True

    def run(self, feeds: dict[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
        """One step: states in from the current set, out to the other; the sets change places only if it succeeds."""
        binding, old, new = self._bindings[self._turn], self._sets[self._turn], self._sets[1 - self._turn]
        out = self._outputs[self._turn]
        for name, array in (*feeds.items(), ("keep", self._keep), *old.items()):
            binding.bind_cpu_input(name, array)
        for name, array in (*out.items(), *((s.output, new[s.input]) for s in self._states)):
            binding.bind_output(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        self.session.run_with_iobinding(binding)
        self._turn = 1 - self._turn
        self._keep[:] = 1.0
        return out


def _overlap(shape: tuple[int, ...], down: int, right: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where the cells lie that stay in sight, before and after the crop moved by so many cells."""

    def along(length: int, by: int) -> tuple[slice, slice]:
        return slice(max(0, by), max(0, length + min(0, by))), slice(max(0, -by), max(0, length - max(0, by)))

    rows, columns = along(shape[0], down), along(shape[1], right)
    return (rows[0], columns[0]), (rows[1], columns[1])


class OrtEngine:
    """One graph in one ONNX Runtime session."""

    def __init__(self, manifest: Manifest, threads: int = 1) -> None:
        """Load and run the graph once; ModelError when a file is damaged or does not match its manifest."""
        manifest.graph.check()
        manifest.weights.check()
        self.manifest = manifest
        self.name = CPU
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Spinning workers starve the threads that decode and encode.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        # Graphs that take several sessions at once leave the length of the batch open; here it is one.
        options.add_free_dimension_override_by_name(BATCH_AXIS, 1)
        try:
            self._session = onnxruntime.InferenceSession(str(manifest.graph.path), options, providers=[PROVIDER])
        except Exception as error:  # its errors have no common base
            raise ModelError(f"model {manifest.name} cannot be loaded: {first_line(error)}") from error
        check_signature(self._session, manifest)
        zeros = {t.name: np.zeros(t.shape, t.dtype) for t in manifest.inputs}
        self.step(StepInputs(zeros["y"], zeros["uv"], zeros["regions"], zeros["prompt"], 1.0), self.new_cache())

    def new_cache(self) -> OrtCache:
        """Return a cache that remembers nothing."""
        return OrtCache(self.manifest, self._session)

    def step(self, inputs: StepInputs, cache: LatentCache) -> StepOutputs:
        """Restore one crop; see `Engine.step`."""
        if not isinstance(cache, OrtCache) or cache.session is not self._session:
            raise EngineError("this latent cache was made by another engine")
        feeds = inputs.feeds()
        for name, array in feeds.items():
            if array.shape != self.manifest.shape(name):
                cache.forget()
                raise EngineError(f"{name} has shape {array.shape}, the model wants {self.manifest.shape(name)}")
        try:
            out = cache.run(feeds)
        except Exception as error:  # its errors have no common base
            cache.forget()
            raise EngineError(f"a step of {self.manifest.name} failed: {first_line(error)}") from error
        return StepOutputs(out["y_out"], out["uv_out"], out["prompt_hat"])  # type: ignore[arg-type]


def check_signature(session: onnxruntime.InferenceSession, manifest: Manifest) -> None:
    """ModelError unless the graph has the manifest's inputs, outputs and states, but for the length of the batch."""
    wanted = {t.name: (t.shape, t.dtype) for t in (*manifest.inputs, *manifest.outputs)}
    wanted |= {name: (s.shape, s.dtype) for s in manifest.states for name in (s.input, s.output)}
    tensors = (*session.get_inputs(), *session.get_outputs())
    found = {t.name: (_with_one(t.shape), DTYPES.get(t.type)) for t in tensors}
    if wanted != found:
        odd = sorted(n for n in wanted.keys() | found.keys() if wanted.get(n) != found.get(n))
        raise ModelError(f"model {manifest.name} does not match its manifest in {', '.join(odd[:4])}")


def _with_one(shape: list[int | str]) -> tuple[int | str, ...]:
    """The shape for one session."""
    return (1, *shape[1:]) if shape[:1] == [BATCH_AXIS] else tuple(shape)
