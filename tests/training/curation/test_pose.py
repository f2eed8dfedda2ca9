"""Turning a head by known angles gives these angles back."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.curation.heads import landmarks
from training.curation.face import Points
from training.curation.pose import NOSE_DEPTH, NOSE_HEIGHT, pose

CHIN, EYES = 0.65, -0.12


def turned(yaw: float = 0, roll: float = 0, scale: float = 1) -> Points:
    """A head whose nose stands out as the constants say, turned to the picture's right and then tilted."""
    points = landmarks(0, 0, 1)
    points[1] = (0, EYES + NOSE_HEIGHT * (CHIN - EYES))
    depth = np.zeros(468)
    depth[1] = NOSE_DEPTH * (points[454, 0] - points[234, 0]) / 2
    a, b = np.radians([yaw, roll])
    x = points[:, 0] * np.cos(a) + depth * np.sin(a)
    flat = np.stack([x, points[:, 1]], axis=1)
    tilt = np.array([[np.cos(b), np.sin(b)], [-np.sin(b), np.cos(b)]])
    return np.asarray(flat @ tilt * scale + 300, np.float32)


@pytest.mark.parametrize("yaw", [-40, -15, 0, 20, 40])
@pytest.mark.parametrize("roll", [-30, 0, 25])
def test_the_turn_is_found_whatever_the_tilt(yaw: float, roll: float) -> None:
    found, nod = pose(turned(yaw, roll, scale=140))
    assert found == pytest.approx(yaw, abs=0.5)
    assert nod == pytest.approx(0, abs=0.5)


def test_a_lower_nose_is_a_nod() -> None:
    points = turned()
    points[1, 1] += 0.05
    assert pose(points)[1] > 5
    points[1, 1] -= 0.1
    assert pose(points)[1] < -5


def test_landmarks_in_one_point_give_finite_angles() -> None:
    assert np.isfinite(pose(np.zeros((468, 2), np.float32))).all()
