"""Foreign models: their pictures in and out, and what is wrong with them in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.onnx_image import OnnxImage, read_layout
from engines.errors import BadInput
from tests.benchmarks.quality.onnx_files import write_scaling


def picture() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 120, (21, 35, 3), np.uint8)


@pytest.mark.parametrize("text", ["", 'order = "bgr"\nmultiple = 16', 'range = [0, 255]'])
def test_a_model_that_doubles_gives_twice_the_picture(tmp_path: Path, text: str) -> None:
    path = write_scaling(tmp_path / "double.onnx", 2.0)
    path.with_suffix(".toml").write_text(text)
    np.testing.assert_allclose(OnnxImage(path)(picture()), picture() * 2, atol=1)


def test_output_range_may_differ_from_the_input_s(tmp_path: Path) -> None:
    path = write_scaling(tmp_path / "x.onnx", 255.0)
    path.with_suffix(".toml").write_text("output_range = [0, 255]")
    np.testing.assert_array_equal(OnnxImage(path)(picture()), picture())


def test_a_model_of_luma_leaves_the_colours(tmp_path: Path) -> None:
    path = write_scaling(tmp_path / "y.onnx", 1.0, channels=1)
    path.with_suffix(".toml").write_text('order = "y"')
    np.testing.assert_allclose(OnnxImage(path)(picture()).astype(int), picture().astype(int), atol=2)


def test_a_model_of_a_fixed_size_gets_it(tmp_path: Path) -> None:
    path = write_scaling(tmp_path / "fixed.onnx", 1.0, edge=32)
    grey = np.full((50, 70, 3), 90, np.uint8)
    np.testing.assert_array_equal(OnnxImage(path)(grey), grey)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("layout = ", "Invalid value"),
        ('layout = "chw"', "layout must be"),
        ("range = [1, 0]", "range must be"),
        ("size = 3", "size"),
        ("multiple = 0", "multiple"),
    ],
)
def test_a_wrong_layout_is_bad_input(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(BadInput, match=reason):
        read_layout(tmp_path / "a.toml")


def test_what_is_no_model_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"nonsense")
    with pytest.raises(BadInput, match="not a model that can be run"):
        OnnxImage(tmp_path / "a.onnx")
