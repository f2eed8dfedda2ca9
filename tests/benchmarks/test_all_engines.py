"""All engines on the same frames: figures, differences, and the reason why one is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import all_engines, warm_up
from benchmarks.graph_work import Work, count
from benchmarks.macs import total_macs
from engines.choice import Candidate
from engines.engine import Engine
from engines.errors import EngineError
from engines.gpu import GpuEngine
from engines.manifest import Manifest
from engines.onnx_runtime import OrtEngine
from stream.cli import main
from tests.engines.fake_device import FakeDevice, FakeRunner
from tests.export.tiny_family import generator, halves, manifests


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_up, "SECONDS", 0.0)


def offered() -> list[Candidate]:
    """The engine on the CPU, one in half precision on a device that is none, and one that is missing."""

    def refuse(manifest: Manifest) -> Engine:
        raise EngineError("no NVIDIA GPU")

    def half(manifest: Manifest) -> Engine:
        device, there = FakeDevice(), next(m for m in halves() if m.crop == manifest.crop)
        return GpuEngine(there, device, device.queue(), FakeRunner(there, device))

    return [Candidate("tensorrt", refuse), Candidate("fake", half), Candidate("onnxruntime-cpu", OrtEngine)]


def test_every_engine_is_compared_with_the_cpu_and_timed(capsys: pytest.CaptureFixture[str]) -> None:
    names = ["tensorrt", "fake", "onnxruntime-cpu"]
    content = all_engines.measure(manifests()[:1], names, [1, 3], 4, offered(), frames=6)
    rows: list[dict[str, Any]] = content["rows"]
    assert [(r["engine"], r["batch"], r["runs"]) for r in rows] == [
        ("fake", 1, "tiny-fp16-64"), ("fake", 3, "tiny-fp16-64"),
        ("onnxruntime-cpu", 1, "tiny-64"), ("onnxruntime-cpu", 3, "tiny-64"),
    ]  # fmt: skip
    assert content["missing"] == {"tiny-64 tensorrt": "engine tensorrt cannot be used: no NVIDIA GPU"}
    assert rows[2]["largest_difference"] == 0 and rows[2]["beyond_one"] == 0
    assert rows[0]["largest_difference"] > 0 and rows[0]["beyond_one"] < 0.02
    assert rows[1]["largest_difference"] == 0
    # Where an engine's steps could not be recorded, its times are those of launching kernel by kernel.
    assert [row.get("recorded") for row in rows] == [True, True, None, None]
    for row in rows:
        assert 0 < row["median_ms"] <= row["p99_ms"]
        assert row["faces_per_s"] == pytest.approx(1000 * row["batch"] / row["median_ms"])
    assert rows[1]["gmac"] == pytest.approx(3 * rows[0]["gmac"])
    printed = capsys.readouterr().out
    assert printed.count("tiny-64") == 5 and "no NVIDIA GPU" in printed


def test_sessions_of_a_batch_that_are_mixed_up_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against batches that nobody looks at: one session's figures stood in their rows, too."""
    step = GpuEngine.step_together
    monkeypatch.setattr(GpuEngine, "step_together", lambda engine, frames: step(engine, frames)[::-1])
    rows = all_engines.measure(manifests()[:1], ["fake"], [1, 3], 2, offered(), frames=2)["rows"]
    assert rows[0]["beyond_one"] < 0.02 and rows[1]["beyond_one"] > 0.5


def test_an_engine_that_fails_in_a_batch_does_not_end_the_rest() -> None:
    class Failing(OrtEngine):
        def new_cache(self) -> Any:
            self.made = getattr(self, "made", 0) + 1
            if self.made > 4:
                raise EngineError("no room")
            return super().new_cache()

    candidates = [Candidate("small", Failing), *offered()[2:]]
    rows = all_engines.measure(manifests()[:1], ["small"], [1, 8], 2, candidates, frames=2)["rows"]
    assert "median_ms" in rows[0] and rows[1]["error"] == "no room"


def test_an_engine_that_fails_while_it_is_compared_is_missing_with_its_reason() -> None:
    class Failing(OrtEngine):
        def step(self, inputs: Any, cache: Any) -> Any:
            self.done = getattr(self, "done", 0) + 1
            if self.done > 6:
                raise EngineError("lost")
            return super().step(inputs, cache)

    candidates = [Candidate("small", Failing), *offered()[2:]]
    content = all_engines.measure(manifests()[:1], ["small", "onnxruntime-cpu"], [1], 2, candidates, frames=4)
    assert content["missing"] == {"tiny-64 small": "lost"}
    assert [r["engine"] for r in content["rows"]] == ["onnxruntime-cpu"]


def test_what_there_is_is_kept_after_each_figure() -> None:
    kept: list[tuple[int, int]] = []
    names = ["tensorrt", "onnxruntime-cpu"]
    all_engines.measure(
        manifests()[:1], names, [1, 2], 2, offered(), frames=2,
        keep=lambda content: kept.append((len(content["rows"]), len(content["missing"]))),
    )  # fmt: skip
    assert kept == [(0, 1), (1, 1), (2, 1)]


def test_the_gpu_is_measured_once_and_only_when_an_engine_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    limits: dict[str, Any] = {"bytes_per_s": 1e12, "macs_per_s": 1e14, "by": "torch"}

    def measured() -> dict[str, Any]:
        asked.append(1)
        return limits

    monkeypatch.setattr(all_engines, "_limits", measured)
    given = manifests()[:1]
    assert all_engines.measure(given, ["tensorrt"], [1], 2, offered())["limits"] is None and not asked
    content = all_engines.measure(given, ["tensorrt", "onnxruntime-cpu"], [1, 2], 2, offered(), frames=2)
    assert content["limits"] == limits and asked == [1] and all(row["roof_ms"] > 0 for row in content["rows"])
    known = {**limits, "by": "before"}
    content = all_engines.measure(given, ["onnxruntime-cpu"], [1], 2, offered(), frames=2, limits=known)
    assert content["limits"] == known and asked == [1]


def test_the_graph_is_counted_as_torch_counts() -> None:
    counted = count(manifests()[0].graph.path)
    assert counted.macs == pytest.approx(total_macs(generator(), 64), rel=0.01)
    half = count(halves()[0].graph.path)
    assert half.macs == counted.macs
    assert 0.45 < half.weight_bytes / counted.weight_bytes < 0.6 and half.session_bytes < counted.session_bytes
    assert counted.weight_bytes >= sum(p.numel() for p in generator().parameters()) * 4 * 0.9


def test_the_roofline_is_the_tighter_of_two_limits() -> None:
    work = Work(macs=100, weight_bytes=1000, session_bytes=10)
    assert work.bytes(4) == 1040
    assert work.seconds(1, 1010.0, 1e9) == 1.0 and work.seconds(2, 1e9, 100.0) == 2.0


def test_the_command_writes_what_it_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target, folder = tmp_path / "out.json", manifests()[0].graph.path.parent
    options = ["--model", "tiny", "--models", str(folder), "--sizes", "64", "--steps", "2", "--batches", "1"]
    command = ["bench", "engine", *options, "--json", str(target), "--engine"]
    assert main([*command, "onnxruntime-cpu"]) == 0
    content = json.loads(target.read_text())
    assert [row["engine"] for row in content["rows"]] == ["onnxruntime-cpu"] and content["bench"] == "engine"
    capsys.readouterr()
    # It ended with 0 when the engine that was named had measured nothing.
    assert main([*command, "tensorrt"]) == 1
    content = json.loads(target.read_text())
    assert content["rows"] == [] and list(content["missing"]) == ["tiny-64 tensorrt"]
    capsys.readouterr()
    assert main([*command, "fast"]) == 2
    assert "--engine must be all, tensorrt" in capsys.readouterr().err
