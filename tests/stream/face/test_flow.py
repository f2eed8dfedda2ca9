"""The flow between two runs of the mesh."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from stream.face.flow import Flow, fit
from stream.face.roi import roi_from_landmarks
from tests.stream.face.shapes import drawn_face, grey, texture

FACE = drawn_face(160, 130, 110)
PICTURE = texture(260, 320)


def test_the_fit_finds_a_similarity() -> None:
    points = np.random.default_rng(0).uniform(0, 96, (60, 2)).astype(np.float32)
    c, s = 1.05 * np.cos(0.1), 1.05 * np.sin(0.1)
    moved = (points @ np.array([[c, s], [-s, c]]) + (3, -2)).astype(np.float32)
    similarity, share = fit(points, moved)
    np.testing.assert_allclose(similarity(points), moved, atol=1e-3)
    assert share == 1 and similarity.scale == pytest.approx(1.05)


def test_the_fit_leaves_strays_out() -> None:
    # Guards against a hand before the mouth dragging the whole face along.
    points = np.random.default_rng(0).uniform(0, 96, (60, 2)).astype(np.float32)
    moved = points + np.float32(2)
    moved[:18] += np.random.default_rng(1).uniform(8, 20, (18, 2)).astype(np.float32)
    similarity, share = fit(points, moved)
    np.testing.assert_allclose(similarity(points[18:]), moved[18:], atol=0.05)
    assert share == pytest.approx(0.7)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_points_are_no_fit(count: int) -> None:
    points = np.zeros((count, 2), np.float32)
    assert fit(points, points)[1] == 0


def test_points_in_one_place_are_finite() -> None:
    points = np.ones((10, 2), np.float32)
    assert np.isfinite(fit(points, points)[0].linear).all()


def test_the_landmarks_go_with_the_picture() -> None:
    flow = Flow(grey(PICTURE), FACE, roi_from_landmarks(FACE))
    for step in (1, 2, 3):
        matrix = cv2.getRotationMatrix2D((160, 130), 1.5 * step, 1 + 0.01 * step) + [
            [0, 0, 3 * step],
            [0, 0, -2 * step],
        ]
        moved = flow(grey(np.asarray(cv2.warpAffine(PICTURE, matrix, (320, 260)), np.uint8)))
        expected = FACE @ matrix[:, :2].T + matrix[:, 2]
        assert moved is not None
        assert np.median(np.linalg.norm(moved - expected, axis=1)) < 0.5


def test_another_picture_is_told() -> None:
    # Guards against landmarks that hang in the air when somebody else comes into view.
    flow = Flow(grey(PICTURE), FACE, roi_from_landmarks(FACE))
    assert flow(grey(texture(260, 320, seed=7))) is None


def test_a_face_half_out_of_the_frame_does_no_harm() -> None:
    face = drawn_face(5, 250, 110)
    moved = Flow(grey(PICTURE), face, roi_from_landmarks(face))(grey(PICTURE))
    assert moved is None or np.isfinite(moved).all()
