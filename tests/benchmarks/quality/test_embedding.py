"""Likeness and consistency of vectors; a face embedding out of an ONNX file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality import embedding
from engines.errors import BadInput
from tests.benchmarks.quality.onnx_files import write_scaling


def test_consistency_is_ten_times_the_mean_cosine_of_neighbours() -> None:
    a, b = np.array([1, 0], np.float32), np.array([0.6, 0.8], np.float32)
    assert embedding.consistency([a, b, b]) == pytest.approx(10 * (0.6 + 1) / 2)
    assert embedding.consistency([a]) is None


def test_likeness_goes_frame_by_frame() -> None:
    a, b = np.array([1, 0], np.float32), np.array([0.6, 0.8], np.float32)
    assert embedding.likeness([a, b], [a, a]) == pytest.approx(0.8)


def test_histograms_of_gradients_see_shapes_and_not_light() -> None:
    picture = np.zeros((128, 128, 3), np.uint8)
    picture[40:90, 40:90] = 100
    turned = np.ascontiguousarray(np.roll(picture, 25, axis=1))
    vector = embedding.hog(picture, None)
    assert float(vector @ embedding.hog(picture * 2, None)) == pytest.approx(1.0, abs=1e-4)
    assert float(vector @ embedding.hog(turned, None)) < 0.7


def test_a_face_embedding_sees_the_face_aligned(tmp_path: Path) -> None:
    embed = embedding.FaceEmbedding(write_scaling(tmp_path / "same.onnx", 1.0, edge=112))
    points = np.zeros((468, 2), np.float32)
    for places, target in zip(
        (embedding.RIGHT_EYE, embedding.LEFT_EYE, embedding.NOSE, embedding.MOUTH_RIGHT, embedding.MOUTH_LEFT),
        embedding.ALIGNED,
        strict=True,
    ):
        points[list(places)] = target
    face = np.random.default_rng(1).integers(0, 255, (112, 112, 3), np.uint8)
    wide = np.zeros((300, 300, 3), np.uint8)
    wide[100:212, 150:262] = face
    one, two = embed(face, points), embed(wide, points + (150, 100))
    assert embed.name == "same" and one is not None and two is not None
    assert float(one @ two) == pytest.approx(1.0, abs=1e-3)
    assert embed(face, None) is None


def test_a_missing_embedding_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        embedding.FaceEmbedding(tmp_path / "none.onnx")
