"""Haze by the darkest place of the crop, beside the generator's estimate."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from stream.prompt import SURE, prompt_from_estimate
from stream.tone.haze import CERTAIN, DOUBTFUL, LIKELY, SEEN, THERE, weighed

KNOWN = "noise", "haze"


def crop(darkest: float, size: int = 256) -> NDArray[np.uint8]:
    """A light picture with a dark patch of a twentieth of its area."""
    luma = np.full((size, size), 180.0)
    luma[: size // 4, : size // 4] = darkest
    return np.asarray(np.rint(luma).astype(np.uint8))


def haze(estimate: float, darkest: float) -> float:
    return float(weighed(np.array([0.5, estimate], np.float32), crop(darkest), KNOWN)[1])


def test_a_dark_place_speaks_against_haze() -> None:
    # Guards against clean portraits whose haze was taken away: four of 32 fell to 28 and 45 dB.
    assert haze(0.36, 40) < 0.2 and not prompt_from_estimate(np.array([0, haze(0.36, 40)], np.float32), KNOWN).any()
    assert haze(0.9, 40) > SURE, "a strong estimate stands"
    assert haze(0.36, LIKELY) == pytest.approx(0.36)


def test_haze_over_everything_is_seen_whatever_the_estimate() -> None:
    # Guards against clips in thick fog for which the estimate was 0.1.
    assert haze(0.1, CERTAIN + 1) == pytest.approx(THERE) and THERE >= SURE
    assert haze(0.1, SEEN) == pytest.approx(0.1)
    assert haze(0.8, CERTAIN + 1) == pytest.approx(0.8)


def test_it_goes_over_from_one_to_the_other_without_a_jump() -> None:
    values = [haze(0.3, level) for level in range(int(DOUBTFUL) - 10, int(CERTAIN) + 10)]
    steps = np.diff(values)
    assert (steps >= 0).all() and steps.max() < 0.05


def test_noise_makes_no_dark_place() -> None:
    rng = np.random.default_rng(0)
    noisy = np.clip(crop(110) + rng.normal(0, 25, (256, 256)), 0, 255).astype(np.uint8)
    assert float(weighed(np.array([0.5, 0.1], np.float32), noisy, KNOWN)[1]) == pytest.approx(THERE, abs=0.05)


def test_other_estimates_and_the_input_stay_as_they_are() -> None:
    estimate = np.array([0.5, 0.4], np.float32)
    assert weighed(estimate, crop(30), KNOWN)[0] == np.float32(0.5) and estimate[1] == np.float32(0.4)
    assert np.array_equal(weighed(estimate, crop(30), ("noise", "rain")), estimate)
