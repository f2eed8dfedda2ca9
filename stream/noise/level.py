"""How noisy a picture is, by brightness, out of what changes from frame to frame where nothing moves."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.frames.planes import Plane

BLOCK = 16
"""Edge of the blocks whose changes are averaged, px."""
SHARE = 40.0
"""Percentile of the blocks that is taken for still: more than half of a call may move."""
BANDS = (20, 56, 88, 128, 176, 232)
"""Levels of luma between which noise is told apart: grain of light grows with it. What is clipped has none."""
FEWEST = 24
"""Blocks that a band needs to say anything."""
FROZEN = 0.02
"""Mean change of still blocks below which the frame is a repeated one, and says nothing."""
MEAN_TO_DEVIATION = math.sqrt(math.pi) / 2
"""From the mean magnitude of the difference of two noisy samples to the deviation of one."""
PACE, FALL = 0.1, 0.3
"""Share of the newest measurement in the slow average, and where it is below that: motion makes noise seem more than it
is, and never less."""
SMALLEST, MOTION_SEEN = 12, 10
"""Rows, at least, of the smallest picture in which it is looked for motion of the whole; and times so many rows of the
largest."""
MOVED, LIT = 0.3, 1.0
"""Pixels by which the picture as a whole has moved, and levels by which it got lighter or darker, for a change that is
not of noise alone."""

Levels = NDArray[np.float32]
"""[256] deviation of the noise at each level of luma"""


def noise_levels(before: Plane, now: Plane) -> Levels | None:
    """Deviation of the noise of luma by level; None where the two frames [H, W] do not tell."""
    height, width = now.shape
    size = width // BLOCK, height // BLOCK
    if size[0] * size[1] < FEWEST:
        return None
    # Every other row does, and costs half.
    rows = now[::2]
    # In 256ths of a level, so that the means are exact enough: half of the memory of floats.
    change = np.left_shift(cv2.absdiff(rows, before[::2]), 8, dtype=np.uint16)
    blocks = np.asarray(cv2.resize(change, size, interpolation=cv2.INTER_AREA), np.float32).ravel() / 256
    light = np.asarray(cv2.resize(rows, size, interpolation=cv2.INTER_AREA)).ravel()
    places, found = [], []
    for low, high in zip(BANDS[:-1], BANDS[1:], strict=True):
        there = blocks[(light >= low) & (light < high)]
        if len(there) >= FEWEST:
            places.append((low + high) / 2)
            found.append(float(np.percentile(there, SHARE)))
    if not found or max(found) < FROZEN:
        return None
    return np.interp(np.arange(256), places, np.array(found) * MEAN_TO_DEVIATION).astype(np.float32)


def holds_still(before: Plane, now: Plane) -> bool:
    """Whether two frames [H, W] are of one picture that does not move as a whole, nor changes its light."""
    if min(now.shape) < SMALLEST:
        return True
    one, other, factor = before, now, 1
    while min(one.shape) >= 2 * SMALLEST:
        one, other, factor = _halved(one), _halved(other), 2 * factor
        # What moves far is seen where the picture is small, and what moves little where it is larger.
        if min(one.shape) < MOTION_SEEN * SMALLEST and not _is_still(one, other, MOVED / factor):
            return False
    return True


def _is_still(before: Plane, now: Plane, most: float) -> bool:
    """By the motion that explains most of the change, where it is small (Lucas and Kanade, 1981), of the whole."""
    one, other = before.astype(np.float32), now.astype(np.float32)
    change, both = other - one, (other + one) / 2
    lit = float(change.mean())
    across, down = ((both[1:-1, 2:] - both[1:-1, :-2]) / 2).ravel(), ((both[2:, 1:-1] - both[:-2, 1:-1]) / 2).ravel()
    slopes = np.array([[across @ across, across @ down], [across @ down, down @ down]], np.float64)
    # What has no slope anywhere cannot be seen to move.
    slopes += np.eye(2)
    told = change[1:-1, 1:-1].ravel() - np.float32(lit)
    moved = np.linalg.solve(slopes, np.array([across @ told, down @ told], np.float64))
    return abs(lit) <= LIT and float(np.hypot(*moved)) <= most


def _halved(plane: Plane) -> Plane:
    half = plane.shape[1] // 2, plane.shape[0] // 2
    return np.asarray(cv2.resize(plane, half, interpolation=cv2.INTER_AREA), np.uint8)


def follow_levels(average: Levels | None, newest: Levels | None) -> Levels | None:
    """The slow average after one more frame."""
    if average is None or newest is None:
        return newest if average is None else average
    step = newest - average
    return np.asarray(average + np.where(step < 0, FALL, PACE) * step, np.float32)
