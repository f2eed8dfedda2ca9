"""How noisy a picture is, measured against what was put in."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from stream.noise.level import follow_levels, holds_still, noise_levels
from tests.stream.frames.pictures import smooth

SIZE = (240, 320)


def grainy(seed: int, deviation: float, low: float = 40, high: float = 210) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).normal(0, deviation, SIZE)
    return np.rint(smooth(*SIZE, low, high) + noise).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("deviation", [2.0, 6.0, 15.0])
def test_the_deviation_is_told(deviation: float) -> None:
    levels = noise_levels(grainy(1, deviation), grainy(2, deviation))
    assert levels is not None and float(np.median(levels)) == pytest.approx(deviation, rel=0.15)


def test_noise_that_grows_with_light_is_told_by_light() -> None:
    base = smooth(*SIZE, 30, 220)
    one, other = (
        np.rint(base + np.random.default_rng(seed).normal(0, 1, SIZE) * base / 20).clip(0, 255).astype(np.uint8)
        for seed in (1, 2)
    )
    levels = noise_levels(one, other)
    assert levels is not None and levels[180] > 1.8 * levels[70]


def test_a_third_that_moves_is_no_noise() -> None:
    # Guards against a waving hand that is taken for grain, and the filter that then lets it ghost.
    one, other = grainy(1, 4.0), grainy(2, 4.0)
    other[:, :100] = np.roll(other[:, :100], 37, axis=0)
    levels = noise_levels(one, other)
    assert levels is not None and float(np.median(levels)) < 5.5


def test_repeated_and_tiny_frames_say_nothing() -> None:
    # Guards against a source that repeats frames, which would be taken for one without noise.
    one = grainy(1, 6.0)
    assert noise_levels(one, one) is None
    assert noise_levels(one[:16, :16], one[:16, :16]) is None
    before = noise_levels(one, grainy(2, 6.0))
    assert follow_levels(before, None) is before
    assert follow_levels(None, before) is before


@pytest.mark.parametrize("deviation", [0.0, 6.0, 15.0])
def test_a_picture_that_moves_as_a_whole_is_told(deviation: float) -> None:
    # Guards against a camera that is turned, or a light that comes on, in what is measured as noise.
    wide = smooth(240, 340, 40, 210)

    def seen(seed: int, shift: int = 0, light: float = 0.0) -> NDArray[np.uint8]:
        noise = np.random.default_rng(seed).normal(0, deviation, SIZE)
        return np.rint(wide[:, shift : shift + 320] + noise + light).clip(0, 255).astype(np.uint8)

    assert holds_still(seen(1), seen(2))
    for shift in (1, 2, 6, 20):
        assert not holds_still(seen(1), seen(2, shift))
    assert not holds_still(seen(1), seen(2, light=4.0))
    assert holds_still(seen(1)[:1, :1], seen(2)[:1, :1])
