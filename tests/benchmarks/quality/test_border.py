"""The border of a pasted square: seen where there is one, not where grain or exposure differ all over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from benchmarks.quality.border import Square, visibility
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


def seen(out: Planar, squares: Sequence[Square | None], given: Planar | None = None) -> float | None:
    clean = clip(*[ROOM] * len(out[0]))
    return visibility(out, clean, squares, clean if given is None else given)


def test_none_is_one() -> None:
    assert seen(clip(ROOM), [SQUARE]) == pytest.approx(1)
    assert seen(clip(ROOM), [None]) is None


def test_a_brighter_square_shows_and_more_so_the_brighter() -> None:
    found = [seen(clip(pasted(change)), [SQUARE]) for change in (0, 4, 15, 40)]
    assert found == sorted(found, key=lambda value: value or 0) and found[0] == pytest.approx(1)
    assert found[1] is not None and found[3] is not None and found[1] < 1.15 < 1.4 < found[3]


def test_light_and_grain_all_over_are_no_border() -> None:
    # Guards against a figure that punishes exposure, or noise that nobody took away.
    assert seen(clip(0.6 * ROOM + 10), [SQUARE]) == pytest.approx(1, abs=0.02)
    noisy = ROOM + np.random.default_rng(0).normal(0, 10, ROOM.shape)
    found = seen(clip(noisy), [SQUARE])
    assert found is not None and found < 1.06


def test_a_square_that_fills_the_frame_has_none() -> None:
    assert seen(clip(ROOM), [(-10, -10, 700)]) is None
    assert seen(clip(ROOM, pasted(40)), [(-10, -10, 700), SQUARE]) == pytest.approx(
        seen(clip(pasted(40)), [SQUARE])
    )


def test_what_the_damage_left_is_no_border() -> None:
    """Guards against: fog that thins out just where the border runs is blamed on the paste, or excuses it."""
    fog = pasted(30)
    assert seen(clip(fog), [SQUARE], clip(fog)) == pytest.approx(1)
    found = seen(clip(fog + pasted(20) - ROOM), [SQUARE], clip(fog))
    assert found is not None and found > 1.3
    # What takes a step away makes none.
    assert seen(clip(ROOM), [SQUARE], clip(fog)) == pytest.approx(1)
