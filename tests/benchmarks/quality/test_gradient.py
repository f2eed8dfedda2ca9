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


def test_the_face_has_a_figure_of_its_own() -> None:
    """Guards against: a sharpened wall hides a face that was smoothed."""
    ramp = np.broadcast_to(np.arange(16, dtype=np.uint8) * 4, (1, 1, 16, 16))
    out, colours = ramp.copy(), np.full((1, 2, 8, 8), 128, np.uint8)
    out[..., 8:] = ramp[..., 8:] * 3 - 60
    face = np.zeros((1, 16, 16), bool)
    face[..., :6] = True
    assert gradient_energy_ratio((out, colours), (ramp, colours), face) == pytest.approx(1.0)
    assert (gradient_energy_ratio((out, colours), (ramp, colours)) or 0) > 3
    assert gradient_energy_ratio((out, colours), (ramp, colours), ~face & False) is None
