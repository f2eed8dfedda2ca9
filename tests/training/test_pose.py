"""Poses: slow, smooth, sometimes none, and within the source."""

from __future__ import annotations

import cv2
import numpy as np

from training.pose import PAUSE, SHAKE_SHARE, rest, sample_poses, swing, trembling

SOURCE, SIZE = (400, 300), 192


def corners(poses: np.ndarray) -> np.ndarray:
    """[T, 4, 2], where in the source the corners of the frames lie."""
    edges = np.array([[[0, 0], [SIZE - 1, 0], [SIZE - 1, SIZE - 1], [0, SIZE - 1]]], np.float32)
    return np.stack([cv2.perspectiveTransform(edges, np.linalg.inv(p.astype(np.float64)))[0] for p in poses])


def test_frames_show_the_source_and_move_slowly() -> None:
    rng = np.random.default_rng(1)
    steps, still, beyond = [], 0, []
    for _ in range(300):
        poses = sample_poses(rng, 6, SOURCE, SIZE)
        assert poses.shape == (6, 3, 3) and poses.dtype == np.float32
        middle = cv2.perspectiveTransform(np.array([[[150, 200]]], np.float32), poses[0].astype(np.float64))
        ways = [
            cv2.perspectiveTransform(np.array([[[150, 200]]], np.float32), p.astype(np.float64))[0, 0] for p in poses
        ]
        steps.append(float(np.linalg.norm(np.diff(ways, axis=0), axis=1).max()))
        still += bool((poses == poses[0]).all())
        where = corners(poses)
        beyond.append(float(np.maximum(-where, where - (SOURCE[1], SOURCE[0])).max()))
        assert np.isfinite(middle).all()
    assert abs(still / 300 - PAUSE * (1 - SHAKE_SHARE)) < 0.09
    assert np.median(steps) < 1.5 and 2 < max(steps) < 8
    # A tilted frame that fills the source looks over its edge, where the picture is mirrored; never far.
    assert np.median(beyond) < 15 and max(beyond) < 90


def test_the_seed_decides() -> None:
    first, second, other = (sample_poses(np.random.default_rng(s), 6, SOURCE, SIZE) for s in (1, 1, 2))
    assert np.array_equal(first, second) and not np.array_equal(first, other)


def test_a_swing_is_smooth_and_a_hand_is_not() -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        assert np.abs(np.diff(swing(rng, 30))).max() <= 1 + 1e-9
        assert np.abs(trembling(rng, 30)).max() < 4
        pace = rest(rng, 30)
        assert pace.min() >= 0 and pace.max() <= 1
    smooth, jerky = (np.abs(np.diff(way, 2)).mean() / np.abs(np.diff(way)).mean() for way in
                     (swing(rng, 60), trembling(rng, 60)[:, 0]))  # fmt: skip
    assert jerky > 2 * smooth
