"""Motion estimated from pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks.quality.flow import estimated_motion


def test_estimated_motion_finds_a_shift() -> None:
    rng = np.random.default_rng(3)
    big = cv2.GaussianBlur(rng.integers(0, 255, (96, 120)).astype(np.float32), (0, 0), 2)
    textured = np.asarray(128 + (big - big.mean()) * 4, np.uint8)
    luma = np.stack([textured[:, 8:104], textured[:, 5:101]])[:, None]
    motion = estimated_motion((luma, np.full((2, 2, 48, 48), 128, np.uint8)))
    middle = motion[0].back[30:66, 30:66]
    assert float(np.median(middle[..., 0])) == pytest.approx(-3, abs=0.2)
    assert float(np.median(middle[..., 1])) == pytest.approx(0, abs=0.2)
    assert motion[0].seen[30:66, 30:66].mean() > 0.9
