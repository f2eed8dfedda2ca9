"""Sharpness has to fall with blur and with nothing else; noise is not detail; motion blur is told from defocus."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from tests.training.curation.heads import head, landmarks
from training.curation.areas import find_areas
from training.curation.damage import smeared
from training.curation.sharpness import Luma, bands, evenness, noise_level, sharpness

EDGE, WIDTH = 320, 160.0
POINTS = landmarks(160, 160, WIDTH)
AREAS = find_areas(POINTS, EDGE)


def luma(seed: int = 1) -> Luma:
    return np.asarray(head(seed, EDGE, WIDTH)[0][..., 0], np.float32)


def blurred(picture: Luma, deviation: float) -> Luma:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), deviation), np.float32)


@pytest.mark.parametrize("area", [AREAS.eyes, AREAS.mouth, AREAS.skin])
def test_blur_lowers_it_step_by_step(area: np.ndarray) -> None:
    values = [sharpness(bands(blurred(luma(), s)), area, 0.0) for s in (0.3, 1.0, 1.5, 2.5)]
    assert values == sorted(values, reverse=True)
    assert values[1] < 0.7 * values[0]


def test_light_and_contrast_do_not_count() -> None:
    full = sharpness(bands(luma()), AREAS.eyes, 0.0)
    faint = sharpness(bands(luma() * 0.3 + 20), AREAS.eyes, 0.0)
    assert faint == pytest.approx(full, rel=0.05)


def test_noise_on_a_blurred_face_is_not_detail() -> None:
    rng = np.random.default_rng(0)
    soft = blurred(luma(), 2.5)
    noisy = np.asarray(soft + rng.normal(0, 8, soft.shape), np.float32)
    level = noise_level(noisy, AREAS.skin)
    assert sharpness(bands(noisy), AREAS.eyes, level) < 0.6 * sharpness(bands(luma()), AREAS.eyes, 0.0)
    assert sharpness(bands(noisy), AREAS.eyes, 0.0) > sharpness(bands(noisy), AREAS.eyes, level)


@pytest.mark.parametrize("deviation", [2.0, 6.0, 12.0])
def test_the_noise_that_was_added_is_found(deviation: float) -> None:
    rng = np.random.default_rng(0)
    picture = blurred(luma(), 3.0) + rng.normal(0, deviation, (EDGE, EDGE)).astype(np.float32)
    assert noise_level(np.asarray(picture, np.float32), AREAS.skin) == pytest.approx(deviation, rel=0.15)


@pytest.mark.parametrize("angle", [0.0, 0.3, 0.8, 1.57, 2.2])
def test_motion_in_any_direction_is_uneven_and_defocus_is_not(angle: float) -> None:
    class Along(np.random.Generator):
        def uniform(self, *_: object, **__: object) -> float:  # type: ignore[override]
            return angle

    picture = head(1, EDGE, WIDTH)[0]
    moved = smeared(picture, Along(np.random.PCG64(0)), 11.0)[..., 0].astype(np.float32)
    sharp = evenness(luma(), POINTS, 0.0)
    assert evenness(moved, POINTS, 0.0) < 0.6 * sharp
    assert evenness(blurred(luma(), 1.5), POINTS, 0.0) > 0.75 * sharp


def test_a_face_outside_the_picture_has_no_sharpness() -> None:
    away = find_areas(landmarks(-900, -900, WIDTH), EDGE)
    assert not away.eyes.any()
    assert sharpness(bands(luma()), away.eyes, 0.0) == 0.0
    assert noise_level(luma(), away.skin) == 0.0
    assert evenness(luma(), landmarks(5, 5, 10), 0.0) == 0.0
    assert math.isfinite(evenness(np.full((EDGE, EDGE), 90, np.float32), POINTS, 0.0))
