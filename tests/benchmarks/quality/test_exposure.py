"""Exposure: how far the light is off, and the face's figure without it."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.exposure import exposure_error, exposure_free_within
from training.degrade import Planar
from training.measures import exposure_free_psnr


def clip(*means: int) -> Planar:
    y = np.stack([np.full((1, 16, 16), mean, np.uint8) for mean in means])
    return y, np.full((len(means), 2, 8, 8), 128, np.uint8)


def textured(seed: int) -> Planar:
    rng = np.random.default_rng(seed)
    return rng.integers(60, 120, (2, 1, 16, 16), np.uint8), rng.integers(100, 150, (2, 2, 8, 8), np.uint8)


def test_too_dark_and_too_light_do_not_make_up_for_each_other() -> None:
    """Guards against: a clip that hunts for its exposure has the right one on average."""
    assert exposure_error(clip(90, 110), clip(100, 100)) == 10.0
    assert exposure_error(clip(100, 104), clip(100, 100)) == 2.0


def test_the_face_has_an_exposure_of_its_own() -> None:
    """Guards against: a face in the dark passes, since the wall behind it came out too light."""
    out, clean = clip(100), clip(100)
    out[0][0, 0, :8], out[0][0, 0, 8:] = 80, 120
    face = np.zeros((1, 16, 16), bool)
    assert exposure_error(out, clean, face) is None
    face[0, :8] = True
    assert exposure_error(out, clean) == 0 and exposure_error(out, clean, face) == 20


def test_within_all_it_is_the_figure_of_the_whole() -> None:
    out, clean = textured(1), textured(2)
    everywhere = np.ones((2, 16, 16), bool)
    assert exposure_free_within(out, clean, everywhere) == pytest.approx(exposure_free_psnr(out, clean), abs=1e-3)
    brighter = clean[0] + np.uint8(40), clean[1]
    assert exposure_free_within(brighter, clean, everywhere) == 99.0


def test_a_face_that_is_too_dark_for_its_picture_is_wrong() -> None:
    """Guards against: a map of the face's own forgives that light was given to the wall alone."""
    clean = textured(3)
    out = clean[0].copy(), clean[1]
    out[0][:, :, :8] -= 40
    face = np.zeros((2, 16, 16), bool)
    face[:, :8] = True
    found = exposure_free_within(out, clean, face)
    assert found is not None and found < 30
