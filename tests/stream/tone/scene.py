"""Rooms of known light, and what a generator that knows it makes of a crop of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.frames.cut import CutBuffer, cut
from stream.frames.levels import BLACK, GREY
from stream.frames.planes import Planes
from tests.stream.frames.pictures import smooth

SIZE = (160, 240)
EDGE = 64


def room(seed: int = 0, low: float = 20, high: float = 220) -> Planes:
    """A picture from `low` to `high`, with colours and fine steps."""
    height, width = SIZE
    luma = smooth(height, width, low, high, seed)
    u, v = smooth(height // 2, width // 2, 105, 140, seed + 1), smooth(height // 2, width // 2, 110, 160, seed + 2)
    return Planes(*(np.rint(plane).astype(np.uint8) for plane in (luma, u, v)))


def grey_room() -> Planes:
    """One without colours, with something black and something white in it, as nearly every room has."""
    luma = room(low=60, high=180).y
    luma[10:40, 10:40], luma[60:90, 150:180] = 26, 212
    grey = np.full((SIZE[0] // 2, SIZE[1] // 2), GREY, np.uint8)
    return Planes(luma, grey, grey)


def through(planes: Planes, factor: float, level: float = 0.0) -> Planes:
    """The room in less light, or behind a veil: luma above black and chroma times a factor, and a level more."""
    luma = _samples((planes.y.astype(float) - BLACK) * factor + level + BLACK)
    return Planes(luma, *(_samples((plane.astype(float) - GREY) * factor + GREY) for plane in (planes.u, planes.v)))


def crop(planes: Planes, x: int = 64, y: int = 48) -> CutBuffer:
    """A square of it."""
    buffer = CutBuffer(EDGE)
    cut(planes, x, y, EDGE, False, buffer)
    return buffer


def _samples(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.rint(values).clip(0, 255).astype(np.uint8)
