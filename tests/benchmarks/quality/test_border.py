"""The border of a pasted square: seen where there is one, not where grain or exposure differ all over."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.border import visibility
from stream.frames.paste import feather
from tests.stream.frames.pictures import smooth
from training.degrade import Planar

SQUARE = (160, 96, 256)


def clip(*frames: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Planar:
    y = np.stack([np.rint(f).clip(0, 255).astype(np.uint8) for f in frames])[:, None]
    return y, np.full((len(y), 2, y.shape[2] // 2, y.shape[3] // 2), 128, np.uint8)


ROOM = smooth(480, 640, 40, 200) + 12 * np.sin(np.arange(640) / 3)


def pasted(change: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    out = ROOM.copy()
    x, y, size = SQUARE
    out[y : y + size, x : x + size] += change * feather(size, (True,) * 4)
    return np.asarray(out)


def test_none_is_one() -> None:
    assert visibility(clip(ROOM), clip(ROOM), [SQUARE]) == pytest.approx(1)
    assert visibility(clip(ROOM), clip(ROOM), [None]) is None


def test_a_brighter_square_shows_and_more_so_the_brighter() -> None:
    found = [visibility(clip(pasted(change)), clip(ROOM), [SQUARE]) for change in (0, 4, 15, 40)]
    assert found == sorted(found, key=lambda value: value or 0) and found[0] == pytest.approx(1)
    assert found[1] is not None and found[3] is not None and found[1] < 1.15 < 1.4 < found[3]


def test_light_and_grain_all_over_are_no_border() -> None:
    # Guards against a figure that punishes exposure, or noise that nobody took away.
    assert visibility(clip(0.6 * ROOM + 10), clip(ROOM), [SQUARE]) == pytest.approx(1, abs=0.02)
    noisy = ROOM + np.random.default_rng(0).normal(0, 10, ROOM.shape)
    found = visibility(clip(noisy), clip(ROOM), [SQUARE])
    assert found is not None and found < 1.06


def test_a_square_that_fills_the_frame_has_none() -> None:
    assert visibility(clip(ROOM), clip(ROOM), [(-10, -10, 700)]) is None
    assert visibility(clip(ROOM, pasted(40)), clip(ROOM, ROOM), [(-10, -10, 700), SQUARE]) == pytest.approx(
        visibility(clip(pasted(40)), clip(ROOM), [SQUARE])
    )
