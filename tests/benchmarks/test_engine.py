"""The engine's figures: they are there, belong together, and torch is not needed for what can be had without."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import tables
from benchmarks.engine import operators, session_bytes, take_turns
from generator.config import CONFIGS
from stream.cli import main
from tests.export.tiny_family import SIZES, generator, manifests
from tests.generator.tiny import TINY


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONFIGS, "tiny", TINY)


@pytest.mark.usefixtures("known")
def test_a_row_for_each_graph_and_thread_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = tables.graphs(manifests()[:1], [1, 2], 12, 1000, tmp_path)
    assert [(row["graph"], row["threads"]) for row in rows] == [(f"tiny-{SIZES[0]}", 1), (f"tiny-{SIZES[0]}", 2)]
    for row in rows:
        assert 0 < row["best_ms"] <= row["median_ms"] <= row["p95_ms"]
        assert 0.1 < row["times_plain"] < 50
        assert sum(part["macs"] for part in row["parts"]) == pytest.approx(1e9 * row["gmac"])
        # Normalisation is folded away.
        assert 0.9 < row["parameters"] / sum(p.numel() for p in generator().parameters()) <= 1
        assert max(row["operators_ms"], key=row["operators_ms"].get) and "Conv" in row["operators_ms"]
    printed = capsys.readouterr().out
    assert printed.count("tiny-64") == 5 and "MMAC: stem" in printed and "2 threads, ms: " in printed


def test_without_torch_or_for_another_model_there_is_still_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tables.graphs(manifests()[:1], [1], 3, 1000, tmp_path)[0]["gmac"] is None
    monkeypatch.setitem(CONFIGS, "tiny", CONFIGS["lite"])
    assert tables.graphs(manifests()[:1], [1], 3, 1000, tmp_path)[0]["gmac"] is None
    monkeypatch.setitem(sys.modules, "torch", None)
    row = tables.graphs(manifests()[:1], [1], 3, 1000, tmp_path)[0]
    assert row["gmac"] is None and row["times_plain"] is None and row["best_ms"] > 0 and row["parameters"] > 0


def _with_int8(folder: Path) -> Path:
    """The family `tiny` with one that calls itself its 8-bit integers."""
    shutil.copytree(manifests()[0].graph.path.parent, folder, dirs_exist_ok=True)
    for size in SIZES:
        manifest = json.loads((folder / f"tiny-{size}.json").read_text())
        manifest |= {"name": f"tiny-int8-{size}", "family": "tiny-int8"}
        (folder / f"tiny-int8-{size}.json").write_text(json.dumps(manifest))
    return folder


@pytest.mark.usefixtures("known")
def test_the_graphs_that_a_call_begins_with_are_measured_too(tmp_path: Path) -> None:
    # Guards against a table of graphs of which none ever runs in a call.
    words = ["--model", "tiny", "--models", str(_with_int8(tmp_path / "models")), "--sizes", str(SIZES[0])]
    options = ["--threads", "1", "--steps", "2", "--fps", "1000", "--json", str(tmp_path / "out.json")]
    assert main(["bench", "engine", *words, *options]) == 0
    whole, rough = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert [(each["graph"], each["precision"]) for each in (whole, rough)] == [
        (f"tiny-{SIZES[0]}", "fp32"), (f"tiny-int8-{SIZES[0]}", "int8"),
    ]  # fmt: skip
    assert rough["best_ms"] > 0 and rough["paced_median_ms"] > 0
    assert (rough["gmac"], rough["parameters"]) == (whole["gmac"], whole["parameters"])
    assert whole["times_plain"] and rough["times_plain"] is None, "the yardstick is in float32"


def test_memory_is_what_the_arrays_hold() -> None:
    manifest = manifests()[0]
    specs = [(s.shape, s.dtype) for s in manifest.states] + [(t.shape, t.dtype) for t in manifest.outputs]
    arrays = [np.zeros(shape, dtype) for shape, dtype in specs]
    inputs = [np.zeros(t.shape, t.dtype) for t in manifest.inputs]
    assert session_bytes(manifest) == 2 * sum(a.nbytes for a in arrays) + sum(a.nbytes for a in inputs)


def test_operators_are_sorted_by_time() -> None:
    found = operators(manifests()[0].graph.path, 1)
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert {"Conv", "Softmax"} <= set(found)


def test_cases_take_turns() -> None:
    order: list[str] = []

    class Case:
        def __init__(self, name: str) -> None:
            self.name = name

        def run(self, steps: int) -> list[float]:
            order.append(f"{self.name}{steps}")
            return [float(len(order))] * steps

    first, second = take_turns([Case("a"), Case("b")], 25)
    assert order == ["a10", "b10", "a10", "b10", "a10", "b10", "a5", "b5"]
    assert (first.best, first.median, first.p95) == (3.0, 5.0, 7.0) and second.median == 6.0
