"""Frames of planes as pictures."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from training.codec import Planar
from training.faces import Picture

Floats = NDArray[np.float32]


def luma(clip: Planar) -> Floats:
    """Y [T,H,W] in 8-bit levels."""
    return np.asarray(clip[0][:, 0], np.float32)


def bgr_frame(planes: Planar, index: int) -> Picture:
    """One frame of planes as BGR [H,W,3], BT.601 limited range as `to_planes` has it."""
    y, uv = planes
    height, width = y.shape[2:]
    stacked = np.concatenate([y[index].reshape(-1), uv[index].reshape(-1)]).reshape(height * 3 // 2, width)
    return np.asarray(cv2.cvtColor(stacked, cv2.COLOR_YUV2BGR_I420), np.uint8)
