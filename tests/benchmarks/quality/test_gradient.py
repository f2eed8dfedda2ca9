"""Gradient energy on cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.gradient import gradient_energy_ratio


def test_gradient_energy_goes_with_the_square_of_the_contrast() -> None:
    ramp = np.broadcast_to(np.arange(16, dtype=np.uint8) * 4, (1, 1, 16, 16))
    steep = ramp * 3
    colours = np.full((1, 2, 8, 8), 128, np.uint8)
    assert gradient_energy_ratio((steep, colours), (ramp, colours)) == pytest.approx(9.0)


def test_noise_counts_as_sharpness_and_a_flat_clip_as_nothing_to_compare_with() -> None:
    rng = np.random.default_rng(5)
    clean = np.kron(rng.integers(60, 160, (4, 1, 16, 16)), np.ones((8, 8))).astype(np.uint8)
    noisy = np.clip(clean + rng.normal(0, 20, clean.shape), 0, 255).astype(np.uint8)
    colours = np.full((4, 2, 64, 64), 128, np.uint8)
    assert (gradient_energy_ratio((noisy, colours), (clean, colours)) or 0) > 1.5
    assert gradient_energy_ratio((clean, colours), (np.full_like(clean, 90), colours)) is None
