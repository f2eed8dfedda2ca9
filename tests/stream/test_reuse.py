"""When what was made of the last crop will do: for a still face under noise, and never for one that moved."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.engine import StepOutputs
from stream.face.crop import Crop
from stream.frames.cut import CutBuffer
from stream.prompt import Weights
from stream.reuse import MOST, Last

CROP = Crop(0, 0, 128, 128)
NOISE: Weights = np.array([1.0, 0.0], np.float32)


def buffer(sigma: float = 0.0, seed: int = 0) -> CutBuffer:
    """A picture of large squares, with noise on it."""
    made = CutBuffer(128)
    squares = np.kron(np.indices((4, 4)).sum(0) % 2, np.ones((32, 32))) * 80 + 80
    noise = np.random.default_rng(seed).normal(0, sigma, (128, 128)) if sigma else 0.0
    made.y[0, 0] = np.clip(squares + noise, 0, 255).astype(np.uint8)
    return made


def last(given: CutBuffer, wanted: Weights | None = NOISE) -> tuple[Last, StepOutputs]:
    out = StepOutputs(given.y, given.uv, NOISE[None])
    return Last(CROP, given, wanted, 1.0, out), out


@pytest.mark.parametrize("sigma", [0.0, 3.0, 10.0])
def test_noise_is_no_motion(sigma: float) -> None:
    kept, out = last(buffer(sigma, 1))
    assert kept.again(CROP, buffer(sigma, 2), NOISE, 1.0) is out


def test_a_mouth_that_opens_is_motion() -> None:
    # Guards against an average over the whole crop, in which a mouth is nothing.
    kept, _ = last(buffer())
    opened = buffer()
    opened.y[0, 0, 100:112, 50:66] -= 20
    assert kept.again(CROP, opened, NOISE, 1.0) is None


def test_slow_motion_adds_up() -> None:
    # Guards against a comparison with the frame before: ever so slow a change would never be seen.
    kept, _ = last(buffer())
    brighter = buffer()
    brighter.y += 2
    assert kept.again(CROP, brighter, NOISE, 1.0) is not None
    brighter.y += 2
    assert kept.again(CROP, brighter, NOISE, 1.0) is None


def test_not_for_ever() -> None:
    kept, _ = last(buffer())
    used = [kept.again(CROP, buffer(), NOISE, 1.0) is not None for _ in range(MOST + 2)]
    assert used == [True] * MOST + [False, False]


def test_another_place_prompt_or_strength_is_another_picture() -> None:
    kept, _ = last(buffer())
    other: NDArray[np.float32] = np.array([0.0, 1.0], np.float32)
    assert kept.again(Crop(32, 0, 128, 128), buffer(), NOISE, 1.0) is None
    assert kept.again(CROP, buffer(), other, 1.0) is None and kept.again(CROP, buffer(), None, 1.0) is None
    assert kept.again(CROP, buffer(), NOISE, 0.5) is None
    assert kept.again(CROP, buffer(), NOISE.copy(), 1.0) is not None
    auto, _ = last(buffer(), None)
    assert auto.again(CROP, buffer(), None, 1.0) is not None and auto.again(CROP, buffer(), NOISE, 1.0) is None
