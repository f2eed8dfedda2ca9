"""E*warp and WE on motions worked out by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks.quality import flow


def shifted(by: int) -> np.ndarray:
    return np.array([[1, 0, by], [0, 1, 0]], np.float32)


def test_known_motion_of_a_shift_to_the_right_points_back_to_the_left() -> None:
    motion = flow.known_motion(np.stack([shifted(0), shifted(2)]), 4, 6)
    assert len(motion) == 1
    np.testing.assert_allclose(motion[0].back[..., 0], -2)
    np.testing.assert_allclose(motion[0].back[..., 1], 0)
    # The first two columns were outside the frame.
    assert motion[0].seen.tolist() == [[False, False, True, True, True, True]] * 4


def test_a_picture_that_moves_along_has_no_warp_error_where_it_was_seen() -> None:
    rng = np.random.default_rng(2)
    picture = rng.integers(0, 255, (20, 30, 3), np.uint8)
    moved = np.roll(picture, 2, axis=1)
    motion = flow.known_motion(np.stack([shifted(0), shifted(2)]), 20, 30)
    masked, plain = flow.warp_errors([picture, moved], motion)
    assert masked == pytest.approx(0.0, abs=1e-6)
    assert plain > 1


def test_warp_errors_are_thousandths_of_the_squared_full_range() -> None:
    still = flow.known_motion(np.stack([shifted(0)] * 3), 8, 8)
    frames = [np.full((8, 8, 3), level, np.uint8) for level in (100, 151, 100)]
    # A change of 51 of 255 is a fifth: 1/25 squared, 40 thousandths, twice.
    masked, plain = flow.warp_errors(frames, still)
    assert masked == pytest.approx(40.0) and plain == pytest.approx(40.0)


def test_estimated_motion_finds_a_shift() -> None:
    rng = np.random.default_rng(3)
    big = cv2.GaussianBlur(rng.integers(0, 255, (96, 120)).astype(np.float32), (0, 0), 2)
    textured = np.asarray(128 + (big - big.mean()) * 4, np.uint8)
    luma = np.stack([textured[:, 8:104], textured[:, 5:101]])[:, None]
    motion = flow.estimated_motion((luma, np.full((2, 2, 48, 48), 128, np.uint8)))
    middle = motion[0].back[30:66, 30:66]
    assert float(np.median(middle[..., 0])) == pytest.approx(-3, abs=0.2)
    assert float(np.median(middle[..., 1])) == pytest.approx(0, abs=0.2)
    assert motion[0].seen[30:66, 30:66].mean() > 0.9
