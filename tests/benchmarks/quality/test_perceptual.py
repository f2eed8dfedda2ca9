"""FID and KID on features worked out by hand; what is missing is said."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.perceptual import fid, kid


def test_fid_of_one_dimension_is_the_distance_of_mean_and_deviation() -> None:
    # Means 0 and 3, variances 2 and 8: 3² + (√2 - √8)² = 9 + 2.
    one, two = np.array([[-1.0], [1.0]]), np.array([[1.0], [5.0]])
    assert fid(one, two) == pytest.approx(11.0)
    assert fid(one, one) == pytest.approx(0.0)


def test_fid_agrees_with_the_root_of_the_matrices() -> None:
    # Diagonal covariances: the sum over the dimensions.
    one = np.array([[1.0, 0], [-1, 0], [0, 2], [0, -2]])
    two = one[:, ::-1]
    # Variances 2/3 and 8/3 against 8/3 and 2/3.
    assert fid(one, two) == pytest.approx(2 * (np.sqrt(8 / 3) - np.sqrt(2 / 3)) ** 2)


def test_kid_by_hand() -> None:
    # Kernel (x y + 1)³: within ours k(0,1) = 1, within theirs k(1,1) = 8, across (1 + 1 + 8 + 8) / 4.
    ours, theirs = np.array([[0.0], [1.0]]), np.array([[1.0], [1.0]])
    assert kid(ours, theirs) == pytest.approx(100 * (1 + 8 - 2 * 4.5))
    assert kid(ours[:1], theirs) is None
