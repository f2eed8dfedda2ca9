"""Clips from stills: the motion is the one that is told."""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks.quality.motion import PAUSE, render, sample_path

SOURCE = (400, 300)


def test_frames_are_the_still_under_the_path() -> None:
    # Guards against a path that says one thing and a picture that does another: warps learned from it would be wrong.
    rng = np.random.default_rng(3)
    rows, columns = np.mgrid[0 : SOURCE[0], 0 : SOURCE[1]]
    blob = (255 * np.exp(-((columns - 150) ** 2 + (rows - 200) ** 2) / (2 * 15.0**2))).astype(np.uint8)
    still = cv2.cvtColor(blob, cv2.COLOR_GRAY2BGR)
    checked = 0
    for _ in range(5):
        path = sample_path(rng, 6, SOURCE, 192)
        for frame, matrix in zip(render(still, path, 192), path.matrices, strict=True):
            where = matrix @ np.array([150, 200, 1], np.float32)
            weights = frame[:, :, 0].astype(np.float64)
            rows, columns = np.mgrid[0:192, 0:192]
            centre = np.array([(columns * weights).sum(), (rows * weights).sum()]) / weights.sum()
            if (where > 60).all() and (where < 132).all():
                assert np.abs(centre - where).max() < 0.6
                checked += 1
    assert checked > 5


def test_some_clips_stand_still_and_most_move_slowly() -> None:
    rng = np.random.default_rng(1)
    steps = []
    for _ in range(300):
        centre = sample_path(rng, 6, SOURCE, 192).matrices @ np.array([150, 200, 1], np.float32)
        steps.append(float(np.linalg.norm(np.diff(centre, axis=0), axis=1).max()))
    assert abs(np.mean(np.array(steps) < 1e-3) - PAUSE) < 0.08
    assert np.median(steps) < 1.5 and max(steps) > 3


def test_landmarks_follow_the_picture() -> None:
    still = np.zeros((300, 260, 3), np.uint8)
    spot = np.array([120, 170])
    still[spot[1] - 3 : spot[1] + 4, spot[0] - 3 : spot[0] + 4] = 255
    seen = 0
    for seed in range(12):
        path = sample_path(np.random.default_rng(seed), 4, still.shape[:2], 192)
        for frame, matrix in zip(render(still, path, 192), path.matrices, strict=True):
            assert frame.shape == (192, 192, 3)
            x, y = matrix[:, :2] @ spot + matrix[:, 2]
            if 8 < x < 184 and 8 < y < 184:
                rows, columns = np.nonzero(frame[..., 0] > 100)
                assert abs(columns.mean() - x) < 1 and abs(rows.mean() - y) < 1
                seen += 1
    assert seen > 20


def test_some_clips_stand_still() -> None:
    paths = [sample_path(np.random.default_rng(s), 4, (300, 300), 192) for s in range(60)]
    still = sum(bool((p.matrices == p.matrices[0]).all()) for p in paths)
    assert 5 < still < 28
