"""What a map may do close to black and white."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from stream.tone.limits import NONE, Limits

RAMP = np.tile(np.arange(256, dtype=np.uint8), (8, 1))


def moved(by: int, full_range: bool = False) -> NDArray[np.int64]:
    """[256] what becomes of each level of luma under a map that says the same everywhere."""
    limits = Limits()
    limits.of_luma(RAMP, full_range)
    return np.asarray(limits.lay(RAMP, np.full((2, 2), NONE + by, np.uint8))[0], np.int64)


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("by", [-128, -40, -7, 7, 40, 127])
def test_black_stays_and_nothing_clips(by: int, full_range: bool) -> None:
    # Guards against letterbox bars that turn grey in haze, and a window that burns out.
    out, (black, white) = moved(by, full_range), (0, 255) if full_range else (16, 235)
    levels = np.arange(256)
    beyond = (levels <= black) | (levels >= (white if by > 0 else 256))
    assert np.array_equal(out[beyond], levels[beyond])
    inside = out[black + 1 : white]
    assert inside.min() > black and inside.max() < white
    assert (np.diff(out) >= 0).all() and np.abs(out - levels).max() <= abs(by)


@pytest.mark.parametrize("by", [-20, 20])
def test_what_is_far_from_both_takes_all_of_it(by: int) -> None:
    assert (moved(by)[60:190] == np.arange(60, 190) + by).all()


def test_colour_keeps_away_from_black_and_white() -> None:
    limits, luma = Limits(), np.array([[0, 16, 18, 100, 233, 235, 255]], np.uint8)
    limits.of_chroma(luma, False)
    grey = np.full(luma.shape, 128, np.uint8)
    for by in (-5, 5):
        out = limits.lay(grey, np.full((1, 1), NONE + by, np.uint8)).astype(int) - 128
        assert np.abs(out).tolist() == [[0, 0, 2, 5, 2, 0, 0]]
    assert limits.lay(grey, np.full((1, 1), NONE, np.uint8)) is grey


def test_what_is_given_is_what_was_laid() -> None:
    # Guards against a crop that is pasted as if all of the map lay under it.
    limits = Limits()
    limits.of_luma(RAMP, False)
    for by in (-30, 30):
        cells = np.full((8, 256), NONE + by, np.uint8)
        given = limits.given(cells).astype(int) - NONE
        assert np.array_equal(RAMP + given, limits.lay(RAMP, cells))
