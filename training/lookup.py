"""Fields and pictures, looked up between their pixels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def picture_at(picture: NDArray[np.uint8], place: Floats) -> NDArray[np.uint8]:
    """[H,W,3] at places [h,w,2], x and y, by cubic interpolation; mirrored beyond its edges."""
    x, y = cv2.split(place)
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101), np.uint8)


def field_at(field: Floats, place: Floats) -> Floats:
    """[H,W] or [H,W,C] at places [h,w,2], x and y, by linear interpolation; beyond its edges as at them.

    Two maps, although OpenCV takes one of two channels: with an empty second one its version 5.0.0 returns rubbish for
    fields of one, three or four channels.
    """
    x, y = cv2.split(place)
    return np.asarray(cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def pixel_grid(size: int) -> Floats:
    """[size, size, 2] of x and y."""
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    return np.stack([columns, rows], axis=-1)
