"""Grain goes where nothing moves; what moves keeps its edges and leaves no ghost."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from stream.frames.planes import Planes
from stream.noise.still import SLOWEST, Still
from tests.stream.frames.pictures import smooth

SIZE = (180, 320)
SIGMA = 8.0
LEVELS = np.full(256, SIGMA, np.float32)


def planes(luma: NDArray[np.float64], seed: int, deviation: float = SIGMA) -> Planes:
    rng = np.random.default_rng(seed)
    rows, columns = luma.shape
    half = ((rows + 1) // 2, (columns + 1) // 2)
    grain = [rng.normal(0, deviation * share, shape) for share, shape in ((1, luma.shape), (0.5, half), (0.5, half))]
    parts = (luma + grain[0], 128 + grain[1], 128 + grain[2])
    return Planes(*(np.rint(part).clip(0, 255).astype(np.uint8) for part in parts))


ROOM = smooth(*SIZE, 60, 180)


def test_still_noise_falls_to_a_third() -> None:
    still, errors = Still(), []
    for seed in range(16):
        out = still(planes(ROOM, seed), LEVELS)
        errors.append(float(np.std(out.y - ROOM)))
    assert errors[0] == pytest.approx(SIGMA, rel=0.05)
    # A share a of the way each frame leaves sqrt(a / (2 - a)) of the noise.
    assert np.mean(errors[-4:]) < 1.25 * SIGMA * np.sqrt(SLOWEST / (2 - SLOWEST))
    assert np.std(out.u.astype(float) - 128) < 2.2


def hand(column: int, contrast: float = 70.0) -> NDArray[np.float64]:
    """A striped patch in front of the room."""
    out = ROOM.copy()
    width = 60
    stripes = np.where(np.arange(width) // 6 % 2, contrast / 2, -contrast / 2)
    out[50:130, column : column + width] = 120 + stripes
    return np.asarray(out)


@pytest.mark.parametrize("contrast", [3 * SIGMA, 70.0])
@pytest.mark.parametrize("step", [1, 2, 5, 11])
def test_a_moving_hand_keeps_its_edges(step: int, contrast: float) -> None:
    # Guards against smeared hands: slope of the output's Laplacian on the clean one's, as `bench quality` has it.
    still, slopes = Still(), []
    for frame in range(14):
        column = 20 + step * frame
        clean = hand(column, contrast)
        out = still(planes(clean, frame), LEVELS).y.astype(float)
        if frame < 4:
            continue
        patch = (slice(52, 128), slice(column - 4, column + 64))
        ours, theirs = (np.diff(picture, 2, axis=1)[patch] for picture in (out, clean))
        slopes.append(float((ours * theirs).sum() / (theirs * theirs).sum()))
    assert np.mean(slopes) >= 0.95


@pytest.mark.parametrize("step", [5, 11])
def test_it_leaves_no_ghost(step: int) -> None:
    still = Still()
    for frame in range(12):
        column = 20 + step * frame
        out = still(planes(hand(column), frame), LEVELS).y.astype(float)
    behind = (slice(60, 120), slice(max(0, column - 40), column - 2))
    ghost = out[behind] - ROOM[behind]
    # Grain is back where it was uncovered; means over the stripes' own width tell whether they are still there.
    assert np.abs(ghost.mean(axis=0)).max() < 4


def test_a_light_that_goes_on_is_shown_at_once() -> None:
    still = Still()
    for seed in range(8):
        still(planes(ROOM * 0.6, seed), LEVELS)
    out = still(planes(ROOM, 9), LEVELS)
    assert np.abs(float((out.y - ROOM).mean())) < 1


def test_colour_that_moves_alone_is_let_go() -> None:
    still = Still()
    for seed in range(8):
        out = still(planes(ROOM, seed), LEVELS)
    red = planes(ROOM, 9)
    red.v[20:60, 20:60] = 200
    out = still(red, LEVELS)
    assert out.v[25:55, 25:55].mean() > 195


def test_planes_given_are_only_read_and_sizes_may_change() -> None:
    still = Still()
    one = planes(ROOM, 0)
    kept = one.y.copy()
    still(one, LEVELS)
    still(planes(ROOM, 1), LEVELS)
    assert np.array_equal(kept, one.y)
    for size in ((33, 47), (1, 1), (180, 320)):
        small = planes(np.full(size, 90.0), 3)
        for _ in range(2):
            out = still(small, LEVELS)
        assert out.y.shape == size and out.u.shape == small.u.shape
    still.forget()
    assert still(one, LEVELS) is one
