"""The detector's anchors and the blending of its candidates."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from stream.face.detector import Detection, Detector, anchors, blend
from stream.face.models import FaceModels
from stream.frames.planes import Planes
from tests.stream.face.shapes import grey


def candidate(left: float, top: float, size: float) -> NDArray[np.float32]:
    points = np.zeros((8, 2), np.float32)
    points[0], points[1] = (left, top), (left + size, top + size)
    points[2:] = left + size / 2
    return points


def test_anchors_cover_the_frame_row_by_row() -> None:
    centres = anchors()
    assert centres.shape == (896, 2)
    np.testing.assert_allclose(centres[[0, 1, 2]], [(1 / 32, 1 / 32), (1 / 32, 1 / 32), (3 / 32, 1 / 32)])
    np.testing.assert_allclose(centres[[512, 517, 518]], [(1 / 16, 1 / 16), (1 / 16, 1 / 16), (3 / 16, 1 / 16)])


def test_overlapping_candidates_are_one_face() -> None:
    points = np.stack([candidate(300, 0, 50), candidate(0, 0, 100), candidate(10, 0, 100)])
    faces = blend(points, np.array([0.7, 0.6, 0.9], np.float32))
    assert [face[0, 0] for face in faces] == pytest.approx([6.0, 300.0])


def test_nothing_and_empty_boxes_are_fine() -> None:
    # Guards against an endless loop over a box that does not even overlap itself.
    assert blend(np.zeros((0, 8, 2), np.float32), np.zeros(0, np.float32)) == []
    assert len(blend(np.zeros((2, 8, 2), np.float32), np.array([0.9, 0.8], np.float32))) == 2


def test_the_square_is_level_with_the_eyes() -> None:
    keypoints = np.array([(40, 40), (60, 60), (50, 60), (50, 70), (30, 50), (70, 50)], np.float32)
    face = Detection((30, 30, 70, 80), keypoints)
    assert face.size == 50
    assert face.roi().angle == pytest.approx(np.pi / 4)
    assert face.roi().size == 75


@pytest.mark.parametrize("shape", [(720, 1280), (1280, 720), (17, 401), (16, 16), (255, 127)])
@pytest.mark.parametrize("full_range", [False, True])
def test_frames_of_any_shape(face_models: FaceModels, shape: tuple[int, int], full_range: bool) -> None:
    assert Detector(face_models.detector)(grey(np.full(shape, 90, np.uint8)), full_range) == []


def test_strided_chroma(face_models: FaceModels) -> None:
    chroma = np.full((50, 60, 2), 128, np.uint8)
    planes = Planes(np.full((100, 120), 90, np.uint8), chroma[..., 0], chroma[..., 1])
    assert Detector(face_models.detector)(planes) == []
