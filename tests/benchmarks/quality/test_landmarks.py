"""TLME, jitter and masks on landmarks worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality import landmarks
from stream.face.regions import FACE_OVAL


def track(*xs: float) -> np.ndarray:
    return np.stack([np.stack([np.full(468, x), np.full(468, 7.0)], axis=-1) for x in xs]).astype(np.float32)


def test_tlme_is_the_difference_of_the_steps() -> None:
    # Steps 3 and -1 against 1 and 1. A constant offset is no motion error.
    assert landmarks.tlme(track(0, 3, 2), track(10, 11, 12)) == pytest.approx(2.0)
    assert landmarks.tlme(track(5, 6, 7), track(0, 1, 2)) == 0.0


def test_jitter_is_the_second_difference() -> None:
    assert landmarks.jitter(track(0, 2, 4, 6)) == 0.0
    # Steps 1, -1, 1: changes of 2 and 2.
    assert landmarks.jitter(track(0, 1, 0, 1)) == pytest.approx(2.0)
    assert landmarks.jitter(track(0, 1)) is None


def test_the_face_s_mask_is_what_its_oval_encloses() -> None:
    points = np.zeros((1, 468, 2), np.float32)
    angles = np.linspace(0, 2 * np.pi, len(FACE_OVAL), endpoint=False)
    points[0, list(FACE_OVAL)] = np.stack([32 + 20 * np.cos(angles), 32 + 20 * np.sin(angles)], axis=-1)
    mask = landmarks.face_masks(points, 64, 64)
    assert mask.shape == (1, 64, 64) and mask[0, 32, 32] and not mask[0, 5, 5]
    assert float(mask.sum()) == pytest.approx(np.pi * 20**2, rel=0.08)
