"""Figures of steady light on cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality import brightness
from training.degrade import Planar


def levels(*values: float) -> Planar:
    luma = np.stack([np.full((1, 16, 16), v, np.uint8) for v in values])
    return luma, np.full((len(values), 2, 8, 8), 128, np.uint8)


def test_ab_var_is_the_variance_of_the_difference_in_mean_brightness() -> None:
    # Differences 10, 14, 10, 14: their variance is 4. A constant difference is none.
    assert brightness.ab_var(levels(60, 74, 60, 74), levels(50, 60, 50, 60)) == pytest.approx(4.0)
    assert brightness.ab_var(levels(60, 70), levels(50, 60)) == 0.0


def test_mabd_error_compares_how_much_the_brightness_changes() -> None:
    # Changes of 3 and 5 against 1 and 1: (2² + 4²) / 2. Which way it changes does not count.
    assert brightness.mabd_error(levels(50, 53, 48), levels(50, 51, 52)) == pytest.approx(10.0)
    assert brightness.mabd_error(levels(50, 55), levels(55, 50)) == 0.0


def test_the_flicker_spectrum_has_a_sine_at_its_frequency() -> None:
    # 10 levels up and down every other frame of 30 a second: 15 Hz, root mean square 10.
    frequencies, amplitudes = brightness.flicker_spectrum(levels(*[100, 120] * 8), None, 30.0)
    assert frequencies[-1] == 15.0
    assert amplitudes[-1] == pytest.approx(10.0)
    assert np.abs(amplitudes[:-1]).max() < 1e-6


def test_the_spectrum_s_squares_sum_to_the_variance() -> None:
    rng = np.random.default_rng(4)
    for count in (7, 8):
        values = rng.integers(80, 120, count)
        _, amplitudes = brightness.flicker_spectrum(levels(*values), None, 30.0)
        assert float((amplitudes**2).sum()) == pytest.approx(float(values.var()))


def test_flicker_is_what_is_faster_than_4_hz_and_not_in_the_clean_clip() -> None:
    slow = [100, 101, 102, 103, 104, 105, 106, 107, 107, 106, 105, 104, 103, 102, 101, 100]
    fast = [100, 120] * 8
    assert brightness.flicker(levels(*fast), levels(*fast), 30.0) == 0.0
    assert brightness.flicker(levels(*fast), None, 30.0) == pytest.approx(10.0)
    assert (brightness.flicker(levels(*slow), None, 30.0) or 0) < 0.3
    assert brightness.flicker(levels(100, 120), None, 4.0) is None
