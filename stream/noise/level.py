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
PACE = 0.1
"""Share of the newest frame in the slow average."""

Levels = NDArray[np.float32]
"""[256] deviation of the noise at each level of luma"""


def noise_levels(before: Plane, now: Plane) -> Levels | None:
    """Deviation of the noise of luma by level; None where the two frames [H, W] do not tell."""
    height, width = now.shape
    size = width // BLOCK, height // BLOCK
    if size[0] * size[1] < FEWEST:
        return None
    # Every other sample does, and costs a quarter.
    sparse = np.ascontiguousarray(now[::2, ::2]), np.ascontiguousarray(before[::2, ::2])
    change = np.asarray(cv2.absdiff(*sparse), np.float32)
    blocks = np.asarray(cv2.resize(change, size, interpolation=cv2.INTER_AREA)).ravel()
    light = np.asarray(cv2.resize(sparse[0], size, interpolation=cv2.INTER_AREA)).ravel()
    places, found = [], []
    for low, high in zip(BANDS[:-1], BANDS[1:], strict=True):
        there = blocks[(light >= low) & (light < high)]
        if len(there) >= FEWEST:
            places.append((low + high) / 2)
            found.append(float(np.percentile(there, SHARE)))
    if not found or max(found) < FROZEN:
        return None
    return np.interp(np.arange(256), places, np.array(found) * MEAN_TO_DEVIATION).astype(np.float32)


def follow_levels(average: Levels | None, newest: Levels | None) -> Levels | None:
    """The slow average after one more frame."""
    if average is None or newest is None:
        return newest if average is None else average
    return np.asarray(average + PACE * (newest - average), np.float32)
