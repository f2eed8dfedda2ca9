"""The half-precision graphs in the package: as close to those in float32 as is promised."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from engines.manifest import Manifest, StoredFile, half_family, read_family
from export import half_dev
from export.half_check import Difference, compare_half
from export.half_dev import clips, main
from export.onnx_graph import stored_file
from tests.media import SHARED, needs_shared

DEV = SHARED / "dev"


def pairs() -> list[tuple[Manifest, Manifest]]:
    """The graphs in float32 with those in half, by size."""
    return list(zip(read_family("lite"), read_family(half_family("lite")), strict=True))


@pytest.fixture(autouse=True)
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(half_dev, "CLIPS", 2)
    monkeypatch.setattr(half_dev, "FRAMES", 3)


@needs_shared
def test_the_shipped_graphs_are_as_close_as_is_promised(capsys: pytest.CaptureFixture[str]) -> None:
    """Halves of an earlier model beside a new one would pass every other test."""
    assert main(["--dev", str(DEV)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [half.name for _, half in pairs()]


def test_the_shipped_graphs_are_close_on_a_pattern_too() -> None:
    """Where no faces are at hand."""
    whole, half = pairs()[0]
    difference = compare_half(whole, half, clips(None, half.crop))
    assert difference.good and difference.estimate < 0.02


def test_weights_that_are_off_by_a_few_percent_are_too_far(tmp_path: Path) -> None:
    """A check that finds everything close finds nothing."""
    whole, half = pairs()[0]
    model, rng = onnx.load(str(half.graph.path)), np.random.default_rng(1)
    for tensor in model.graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        if array.dtype == np.float16:
            other = (array * rng.normal(1, 0.03, array.shape)).astype(np.float16)
            tensor.CopyFrom(onnx.numpy_helper.from_array(other, tensor.name))
    path = tmp_path / "other.onnx"
    onnx.save(model, str(path))
    other_half = replace(half, graph=StoredFile(path, stored_file(path)["sha256"]))
    assert not compare_half(whole, other_half, clips(None, half.crop)).good


def test_one_that_is_too_far_shows_in_the_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = iter([Difference(1, 0.0, 0.0), Difference(9, 0.002, 0.0), Difference(1, 0.0, 0.0)])
    monkeypatch.setattr(half_dev, "clips", lambda folder, size: [])
    monkeypatch.setattr(half_dev, "compare_half", lambda whole, half, given: next(found))
    assert main(["--dev", "unread"]) == 1
    assert "lite-fp16-384: largest difference 9 of 255, 0.2000 % of samples" in capsys.readouterr().out


def test_faces_that_are_not_there_are_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--dev", "missing"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("half_dev: ") and "missing" in error and error.count("\n") == 1
