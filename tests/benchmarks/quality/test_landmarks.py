"""TLME and jitter on landmarks worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality import landmarks


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
