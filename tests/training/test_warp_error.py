"""E*warp and WE on motions worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from training.warp_error import known_motion, warp_errors


def shifted(by: int) -> np.ndarray:
    return np.array([[1, 0, by], [0, 1, 0]], np.float32)


def test_known_motion_of_a_shift_to_the_right_points_back_to_the_left() -> None:
    motion = known_motion(np.stack([shifted(0), shifted(2)]), 4, 6)
    assert len(motion) == 1
    np.testing.assert_allclose(motion[0].back[..., 0], -2)
    np.testing.assert_allclose(motion[0].back[..., 1], 0)
    # The first two columns were outside the frame.
    assert motion[0].seen.tolist() == [[False, False, True, True, True, True]] * 4


def test_a_picture_that_moves_along_has_no_warp_error_where_it_was_seen() -> None:
    rng = np.random.default_rng(2)
    picture = rng.integers(0, 255, (20, 30, 3), np.uint8)
    moved = np.roll(picture, 2, axis=1)
    motion = known_motion(np.stack([shifted(0), shifted(2)]), 20, 30)
    masked, plain = warp_errors([picture, moved], motion)
    assert masked == pytest.approx(0.0, abs=1e-6)
    assert plain > 1


def test_warp_errors_are_thousandths_of_the_squared_full_range() -> None:
    still = known_motion(np.stack([shifted(0)] * 3), 8, 8)
    frames = [np.full((8, 8, 3), level, np.uint8) for level in (100, 151, 100)]
    # A change of 51 of 255 is a fifth: 1/25 squared, 40 thousandths, twice.
    masked, plain = warp_errors(frames, still)
    assert masked == pytest.approx(40.0) and plain == pytest.approx(40.0)
