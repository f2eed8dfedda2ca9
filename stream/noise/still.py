"""A recursive filter along time that holds still what holds still, and lets go of what moves.

Motion-adaptive recursive noise reduction, as cameras and television sets do it: each sample goes a share of the way
from what was shown to what came in, the whole way where the change is more than noise over a few pixels around.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.frames.planes import Plane, Planes
from stream.noise.level import Levels

SLOWEST = 0.2
"""Share of a still sample's way: a third of the noise is left."""
REACH = 3
"""Window of the mean change, in samples of a quarter of the resolution."""
COLOUR = 0.7
"""Weight of a change of chroma beside one of luma: noise of colour is no weaker, and has fewer samples to fade in."""
QUIET, MOVING = 1.2, 1.6
"""Mean changes, in those that noise alone makes, from which a sample begins to go faster, and goes all the way. With
1.3 and 1.8 half a decibel more noise goes, and stripes of three deviations lose a sixth of their sharpness at 1 pixel a
frame; with 1.15 and 1.5 one decibel less."""
NOISE_ALONE = 0.84
"""Mean change of pure noise against what was shown, in its deviations."""
ROWS = 64
"""Rows that are worked on at a time; a multiple of 4."""
FINE, WHOLE = 6, 255
"""What is held has so many bits below a level, and shares are counted in so many parts: 16 bits hold both, and memory
takes half the time that it takes with floats."""
FLOOR = 0.8
"""Deviation that is taken for the least: rounding makes as much."""

Floats = NDArray[np.float32]
Held = NDArray[np.int16]


class Still:
    """What was shown of one stream; frames in order, one thread at a time."""

    def __init__(self) -> None:
        self._planes: list[Held] = []
        self._shown: Planes | None = None
        self._frames = 0
        self.moving: Floats | None = None
        """At a quarter of luma's resolution, 0 where the last frame was held still to 1 where it was let go"""

    def forget(self) -> None:
        """The next frame has nothing to do with the last one."""
        self._planes, self._shown, self._frames, self.moving = [], None, 0, None

    def __call__(self, planes: Planes, levels: Levels) -> Planes:
        """New planes, steadier ones.

        Args:
            planes: 8-bit planes, only read.
            levels: Deviation of the noise by level of luma.
        """
        shown = self._shown
        if shown is None or shown.y.shape != planes.y.shape:
            self._planes = [plane.astype(np.int16) << FINE for plane in (planes.y, planes.u, planes.v)]
            self._shown, self._frames, self.moving = planes, 1, None
            return planes
        self._frames += 1
        slowest = max(SLOWEST, 1 / self._frames)
        coarse = shares(shown, planes, levels, slowest)
        self.moving = (coarse - np.float32(slowest)) / np.float32(1 - slowest)
        given = zip(self._planes, (planes.y, planes.u, planes.v), strict=True)
        self._shown = Planes(*(_moved(held, plane, coarse) for held, plane in given))
        return self._shown


def shares(shown: Planes, planes: Planes, levels: Levels, slowest: float) -> Floats:
    """How much of its way each sample goes, from `slowest` to 1, at a quarter of luma's resolution."""
    change, light = _quarter(cv2.absdiff(planes.y, shown.y)), _quarter(planes.y)
    # Colour that moves without luma shows as well.
    moved = cv2.max(cv2.absdiff(planes.u, shown.u), cv2.absdiff(planes.v, shown.v))
    colour = cv2.resize(moved, change.shape[::-1], interpolation=cv2.INTER_AREA)
    mean = cv2.max(_mean(change), COLOUR * _mean(np.asarray(colour, np.uint8)))
    noise = (1 / (NOISE_ALONE * np.maximum(levels, FLOOR))).astype(np.float32)
    motion = np.asarray(cv2.multiply(mean, cv2.LUT(light, noise)))
    slope = (1 - slowest) / (MOVING - QUIET)
    return np.asarray(np.clip(slowest + slope * (motion - QUIET), slowest, 1), np.float32)


def _quarter(plane: NDArray[np.generic]) -> Plane:
    height, width = plane.shape
    half = cv2.resize(np.asarray(plane, np.uint8), ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)
    quarter = (width + 3) // 4, (height + 3) // 4
    return np.asarray(cv2.resize(half, quarter, interpolation=cv2.INTER_AREA), np.uint8)


def _mean(change: Plane) -> Floats:
    return np.asarray(cv2.boxFilter(change, cv2.CV_32F, (REACH, REACH)), np.float32)


def _moved(held: Held, plane: Plane, coarse: Floats) -> Plane:
    """Moves what is held, in place, and returns it in 8 bits.

    A few rows at a time: what is computed on the way then stays in the processor's cache.
    """
    out = np.empty(plane.shape, np.uint8)
    height, width = plane.shape
    cell = 4 if width > 2 * coarse.shape[1] else 2
    # Each share as often as a cell has samples across; down, the rows of a cell have the same.
    parts = cv2.convertScaleAbs(coarse, alpha=WHOLE)
    wide = cv2.merge([parts] * cell).reshape(len(coarse), -1)[:, :width]
    step, share = np.empty((ROWS, width), np.int16), np.empty((ROWS // cell, cell, width), np.int16)
    for top in range(0, height, ROWS):
        rows = slice(top, min(height, top + ROWS))
        change, shares = step[: rows.stop - top], wide[top // cell : -(-rows.stop // cell), None]
        np.left_shift(plane[rows], FINE, out=change, dtype=np.int16)
        cv2.subtract(change, held[rows], dst=change)
        np.copyto(share[: len(shares)], shares)
        cv2.multiply(change, share.reshape(ROWS, width)[: len(change)], dst=change, scale=1 / WHOLE)
        cv2.add(held[rows], change, dst=held[rows])
        cv2.convertScaleAbs(held[rows], dst=out[rows], alpha=1 / (1 << FINE))
    return out
