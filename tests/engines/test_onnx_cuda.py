"""ONNX Runtime on a GPU, against a session that only notes what it is told."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import onnxruntime
import pytest

from engines import onnx_cuda
from engines.cuda import CudaDevice
from engines.errors import EngineError, EngineLost, OutOfDeviceMemory
from engines.manifest import Manifest
from engines.onnx_cuda import PROVIDER, OrtCudaRunner
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
    made = 0
    failing: Exception | None = None
    refuses_graphs = False
    providers = [PROVIDER, "CPUExecutionProvider"]

    def __init__(self, path: str, options: Any, providers: Any) -> None:
        FakeSession.last = self
        FakeSession.made += 1
        self.threads = {threading.get_ident()}
        self.given = providers
        self.severity = options.log_severity_level
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
        self.threads.add(threading.get_ident())
        if self.failing is not None:
            raise self.failing
        if self.refuses_graphs and "gpu_graph_id" in options.entries:
            raise RuntimeError("Error: cuda_call.cc:154 <ERRTYPE = x> CUDA failure 901: not permitted ; GPU=0 ; line=6")
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
    monkeypatch.setattr(FakeSession, "refuses_graphs", False)
    monkeypatch.setattr(FakeSession, "made", 0)
    return FakeSession


def runner(max_batch: int, manifest: Manifest | None = None, graphs: bool = True) -> OrtCudaRunner:
    device = FakeDevice()
    return OrtCudaRunner(manifest or halves()[0], device, device.queue(), max_batch, graphs)


def where(start: int = 256) -> dict[str, int]:
    manifest = halves()[0]
    names = [t.name for t in (*manifest.inputs, *manifest.outputs)]
    names += [name for s in manifest.states for name in (s.input, s.output)]
    return {name: start + 256 * index for index, name in enumerate(names)}


def test_all_tensors_are_bound_where_they_lie(session: type[FakeSession]) -> None:
    made = runner(4)
    made.run(3, where(), FakeDevice().queue())
    told = session.last
    settings = {"user_compute_stream": "1", "enable_cuda_graph": "1"}
    assert told.given == [(PROVIDER, settings)] and told.fallback == "1"
    binding, options = told.runs[0]
    assert {n: w[-1] for n, w in (*binding.inputs.items(), *binding.outputs.items())} == where()
    assert binding.inputs["y"] == ("cuda", 0, "uint8", [3, 1, 64, 64], where()["y"])
    assert binding.outputs["next_tap0"][2] == "float16"
    assert options.entries == {"disable_synchronize_execution_providers": "1", "gpu_graph_id": "3"}


def test_float32_is_not_rounded_and_half_precision_keeps_the_tensor_cores(
    session: type[FakeSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `use_tf32` ONNX Runtime refuses the tensor cores to half precision as well."""
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE", raising=False)
    runner(1)
    assert os.environ["NVIDIA_TF32_OVERRIDE"] == "0" and "use_tf32" not in session.last.given[0][1]


def test_each_size_is_a_recording(session: type[FakeSession]) -> None:
    """ONNX Runtime never lets go of one, and without one builds all plans of cuDNN anew when the size changes."""
    made = runner(4)
    for batch in (1, 4, 1, 2, 4):
        made.run(batch, where(), FakeDevice().queue())
    runs = session.last.runs
    assert made.records and [o.entries["gpu_graph_id"] for _, o in runs] == ["1", "4", "1", "2", "4"]
    assert runs[0][0] is runs[2][0] and runs[1][0] is runs[4][0] and len({id(b) for b, _ in runs}) == 3


def test_without_recordings_there_is_no_number_and_each_run_waits(session: type[FakeSession]) -> None:
    """A run that was neither recorded nor waited for kept its pinned memory: it grew by the frame."""
    made = runner(4, graphs=False)
    made.run(1, where(), FakeDevice().queue())
    assert session.last.runs[0][1].entries == {} and not made.records
    assert session.last.given[0][1]["enable_cuda_graph"] == "0"


def test_everything_of_a_session_is_done_in_one_thread(session: type[FakeSession]) -> None:
    """Recordings and handles are the thread's that made them: each call's thread had its own, and they stayed."""
    made = runner(4)
    with ThreadPoolExecutor(3) as pool:
        for _ in range(3):
            pool.submit(made.run, 1, where(), FakeDevice().queue()).result()
    made.run(1, where(), FakeDevice().queue())
    assert len(session.last.threads) == 1 and threading.get_ident() not in session.last.threads


def test_one_that_refuses_to_be_recorded_runs_without(
    session: type[FakeSession], caplog: pytest.LogCaptureFixture
) -> None:
    """A recording that failed cost the whole engine; then a CPU restored what this GPU could have."""
    session.refuses_graphs = True
    device = cast(CudaDevice, FakeDevice())
    engine = onnx_cuda.open_onnx_cuda(halves()[0], device, 4)
    assert not engine.recorded and session.last.given[0][1]["enable_cuda_graph"] == "0"
    assert caplog.messages == [
        "onnxruntime-cuda of tiny-fp16-64 is not recorded: onnxruntime-cuda failed: CUDA failure 901: not permitted"
    ]
    session.refuses_graphs = False
    assert onnx_cuda.open_onnx_cuda(halves()[0], device, 4).recorded


def test_without_room_or_without_cuda_it_is_not_tried_twice(session: type[FakeSession]) -> None:
    device = cast(CudaDevice, FakeDevice())
    for error, kind in ((RuntimeError("out of memory"), OutOfDeviceMemory), (RuntimeError("refused"), EngineLost)):
        session.failing, session.made = error, 0
        with pytest.raises(kind):
            onnx_cuda.open_onnx_cuda(halves()[0], device, 4)
        assert session.made == (1 if kind is OutOfDeviceMemory else 2)


def test_where_cuda_is_missing_it_prints_nothing(
    session: type[FakeSession], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reason is one line of the engine's error; the libraries' own words were twenty, in the terminal."""
    severities: list[int] = []
    monkeypatch.setattr(onnxruntime, "set_default_logger_severity", severities.append)
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: print("Failed to load libcublas.so.13"), raising=False)
    runner(4)
    assert capsys.readouterr().out == "" and severities == [4, 2] and session.last.severity == 4


def test_a_graph_for_one_session_is_not_given_more(session: type[FakeSession]) -> None:
    assert runner(8, manifests()[0]).max_batch == 1
    assert runner(8).max_batch == 8


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Failed to allocate memory for requested buffer of size 9", OutOfDeviceMemory),
        ("CUDA error: out of memory", OutOfDeviceMemory),
        ("CUDA failure 700: an illegal memory access was encountered\nmore", EngineLost),
    ],
)
def test_its_errors_are_what_engines_know(session: type[FakeSession], text: str, kind: type[EngineError]) -> None:
    made = runner(4)
    session.last.failing = RuntimeError(text)
    with pytest.raises(kind, match="onnxruntime-cuda failed: ") as raised:
        made.run(1, where(), FakeDevice().queue())
    assert type(raised.value) is kind and "\n" not in str(raised.value)


def test_where_it_cannot_run_on_the_gpu_it_says_so(
    session: type[FakeSession], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(onnx_cuda, "why_not_loaded", lambda: None)
    monkeypatch.setattr(session, "providers", ["CPUExecutionProvider"])
    with pytest.raises(EngineError, match="fell back to the CPU: its CUDA or cuDNN libraries are missing"):
        runner(4)

    def refuse(*_: Any, **__: Any) -> None:
        raise RuntimeError("This session contains graph nodes that are assigned to the default CPU EP\nmore")

    monkeypatch.setattr(onnxruntime, "InferenceSession", refuse)
    with pytest.raises(EngineError, match="cannot run tiny-fp16-64 on the GPU: This session contains"):
        runner(4)
    # A library that is missing is only logged; what is raised complains of the graph.
    monkeypatch.setattr(onnx_cuda, "why_not_loaded", lambda: "libcublas.so.13: cannot open shared object file")
    with pytest.raises(EngineError, match="cannot run tiny-fp16-64 on the GPU: libcublas.so.13: cannot open"):
        runner(4)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(EngineError, match="built without CUDA: .* pip install onnxruntime-gpu"):
        runner(4)


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
        runner(4)


def test_the_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(onnxruntime, "__file__", str(tmp_path / "__init__.py"))
    why = onnx_cuda.why_not_loaded()
    assert why is not None and "onnxruntime_providers_shared" in why and "\n" not in why


def test_the_drivers_number_reaches_the_session(session: type[FakeSession]) -> None:
    queue = SimpleNamespace(handle=4711)
    OrtCudaRunner(halves()[0], FakeDevice(), queue, 4)
    assert session.last.given[0][1]["user_compute_stream"] == "4711"
