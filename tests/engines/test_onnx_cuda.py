"""ONNX Runtime on a GPU, against a session that only notes what it is told."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import onnxruntime
import pytest

from engines import onnx_cuda
from engines.errors import EngineError, EngineLost, OutOfDeviceMemory
from engines.onnx_cuda import BINDINGS_KEPT, GRAPHS, PROVIDER, OrtCudaRunner
from tests.engines.fake_device import FakeDevice
from tests.export.tiny_family import halves, manifests


class FakeBinding:
    def __init__(self) -> None:
        self.inputs: dict[str, tuple[Any, ...]] = {}
        self.outputs: dict[str, tuple[Any, ...]] = {}

    def bind_input(self, name: str, *where: Any) -> None:
        self.inputs[name] = where

    def bind_output(self, name: str, *where: Any) -> None:
        self.outputs[name] = where


class FakeSession:
    """The real one tells the signature; what runs is noted."""

    last: FakeSession
    failing: Exception | None = None
    providers = [PROVIDER, "CPUExecutionProvider"]

    def __init__(self, path: str, options: Any, providers: Any) -> None:
        FakeSession.last = self
        self.given = providers
        plain = onnxruntime.SessionOptions()
        self._real = REAL(path, plain, providers=["CPUExecutionProvider"])
        self.fallback = options.get_session_config_entry("session.disable_cpu_ep_fallback")
        self.runs: list[tuple[FakeBinding, Any]] = []

    def get_providers(self) -> list[str]:
        return self.providers

    def get_inputs(self) -> Any:
        return self._real.get_inputs()

    def get_outputs(self) -> Any:
        return self._real.get_outputs()

    def io_binding(self) -> FakeBinding:
        return FakeBinding()

    def run_with_iobinding(self, binding: FakeBinding, options: Any) -> None:
        if self.failing is not None:
            raise self.failing
        self.runs.append((binding, options))


REAL = onnxruntime.InferenceSession


class Options:
    """onnxruntime.RunOptions, readable."""

    def __init__(self) -> None:
        self.entries: dict[str, str] = {}

    def add_run_config_entry(self, key: str, value: str) -> None:
        self.entries[key] = value


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> type[FakeSession]:
    monkeypatch.setattr(onnxruntime, "InferenceSession", FakeSession)
    monkeypatch.setattr(onnxruntime, "RunOptions", Options)
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None, raising=False)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [PROVIDER, "CPUExecutionProvider"])
    monkeypatch.setattr(FakeSession, "failing", None)
    return FakeSession


def where(start: int = 256) -> dict[str, int]:
    manifest = halves()[0]
    names = [t.name for t in (*manifest.inputs, *manifest.outputs)]
    names += [name for s in manifest.states for name in (s.input, s.output)]
    return {name: start + 256 * index for index, name in enumerate(names)}


def test_all_tensors_are_bound_where_they_lie(session: type[FakeSession]) -> None:
    runner = OrtCudaRunner(halves()[0], FakeDevice().queue(), 4)
    runner.run(3, where(), FakeDevice().queue())
    made = session.last
    assert made.given == [(PROVIDER, {"user_compute_stream": "1", "enable_cuda_graph": "1"})] and made.fallback == "1"
    binding, options = made.runs[0]
    assert {n: w[-1] for n, w in (*binding.inputs.items(), *binding.outputs.items())} == where()
    assert binding.inputs["y"] == ("cuda", 0, "uint8", [3, 1, 64, 64], where()["y"])
    assert binding.outputs["next_tap0"][2] == "float16"
    assert options.entries == {"disable_synchronize_execution_providers": "1", "gpu_graph_id": "0"}


def test_the_same_addresses_are_one_recording_and_others_another(session: type[FakeSession]) -> None:
    """ONNX Runtime replays a recording at the addresses it was made with, whatever is bound later."""
    runner = OrtCudaRunner(halves()[0], FakeDevice().queue(), 4)
    for start in (0, 65536, 0, 65536):
        runner.run(1, where(start), FakeDevice().queue())
    runs = session.last.runs
    assert [o.entries["gpu_graph_id"] for _, o in runs] == ["0", "1", "0", "1"]
    assert runs[0][0] is runs[2][0] and runs[0][0] is not runs[1][0]
    for index in range(2, GRAPHS + 5):
        runner.run(1, where(65536 * index), FakeDevice().queue())
    numbers = [o.entries["gpu_graph_id"] for _, o in session.last.runs]
    assert numbers[-5:] == ["-1"] * 5 and len(set(numbers)) == GRAPHS + 1
    for index in range(100, 100 + 2 * BINDINGS_KEPT):
        runner.run(1, where(65536 * index), FakeDevice().queue())
    assert len(runner._bindings) == BINDINGS_KEPT


def test_without_recordings_there_is_no_number(session: type[FakeSession]) -> None:
    runner = OrtCudaRunner(halves()[0], FakeDevice().queue(), 4, graphs=False)
    runner.run(1, where(), FakeDevice().queue())
    assert "gpu_graph_id" not in session.last.runs[0][1].entries
    assert session.last.given[0][1]["enable_cuda_graph"] == "0"


def test_a_graph_for_one_session_is_not_given_more(session: type[FakeSession]) -> None:
    assert OrtCudaRunner(manifests()[0], FakeDevice().queue(), 8).max_batch == 1
    assert OrtCudaRunner(halves()[0], FakeDevice().queue(), 8).max_batch == 8


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Failed to allocate memory for requested buffer of size 9", OutOfDeviceMemory),
        ("CUDA error: out of memory", OutOfDeviceMemory),
        ("CUDA failure 700: an illegal memory access was encountered\nmore", EngineLost),
    ],
)
def test_its_errors_are_what_engines_know(session: type[FakeSession], text: str, kind: type[EngineError]) -> None:
    runner = OrtCudaRunner(halves()[0], FakeDevice().queue(), 4)
    session.last.failing = RuntimeError(text)
    with pytest.raises(kind, match="onnxruntime-cuda failed: ") as raised:
        runner.run(1, where(), FakeDevice().queue())
    assert type(raised.value) is kind and "\n" not in str(raised.value)


def test_where_it_cannot_run_on_the_gpu_it_says_so(
    session: type[FakeSession], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(onnx_cuda, "why_not_loaded", lambda: None)
    monkeypatch.setattr(session, "providers", ["CPUExecutionProvider"])
    with pytest.raises(EngineError, match="fell back to the CPU: its CUDA or cuDNN libraries are missing"):
        OrtCudaRunner(halves()[0], FakeDevice().queue(), 4)

    def refuse(*_: Any, **__: Any) -> None:
        raise RuntimeError("This session contains graph nodes that are assigned to the default CPU EP\nmore")

    monkeypatch.setattr(onnxruntime, "InferenceSession", refuse)
    with pytest.raises(EngineError, match="cannot run tiny-fp16-64 on the GPU: This session contains"):
        OrtCudaRunner(halves()[0], FakeDevice().queue(), 4)
    # A library that is missing is only logged; what is raised complains of the graph.
    monkeypatch.setattr(onnx_cuda, "why_not_loaded", lambda: "libcublas.so.13: cannot open shared object file")
    with pytest.raises(EngineError, match="cannot run tiny-fp16-64 on the GPU: libcublas.so.13: cannot open"):
        OrtCudaRunner(halves()[0], FakeDevice().queue(), 4)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(EngineError, match="built without CUDA: .* pip install onnxruntime-gpu"):
        OrtCudaRunner(halves()[0], FakeDevice().queue(), 4)


def test_operators_that_only_the_cpu_has_are_named(
    session: type[FakeSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_cuda, "why_not_loaded", lambda: None)

    class Picky:
        """Refuses as ONNX Runtime does, unless the CPU may help out."""

        def __init__(self, path: str, options: Any, providers: Any) -> None:
            if onnxruntime.get_available_providers()[1] not in providers:
                raise RuntimeError("nodes on the CPU")

        def get_provider_graph_assignment_info(self) -> list[Any]:
            return [
                SimpleNamespace(ep_name=name, get_nodes=lambda kind=kind: [SimpleNamespace(op_type=kind)])
                for name, kind in ((PROVIDER, "Conv"), *[("CPUExecutionProvider", k) for k in ("Pad", "Where", "Pad")])
            ]

    monkeypatch.setattr(onnxruntime, "InferenceSession", Picky)
    with pytest.raises(EngineError, match=r"on the GPU: nodes on the CPU \(Pad 2, Where\)$"):
        OrtCudaRunner(halves()[0], FakeDevice().queue(), 4)


def test_the_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(onnxruntime, "__file__", str(tmp_path / "__init__.py"))
    why = onnx_cuda.why_not_loaded()
    assert why is not None and "onnxruntime_providers_shared" in why and "\n" not in why


def test_the_drivers_number_reaches_the_session(session: type[FakeSession]) -> None:
    queue = SimpleNamespace(handle=4711)
    OrtCudaRunner(halves()[0], queue, 4)
    assert session.last.given[0][1]["user_compute_stream"] == "4711"
