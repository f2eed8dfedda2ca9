"""The grain of one stream's whole frame: measured, and taken away while there is enough of it to see."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.frames.planes import Plane, Planes
from stream.noise.level import Levels, follow_levels, holds_still, noise_levels
from stream.noise.still import Still

EVERY = 4
"""Frames from one measurement to the next."""
SEEN, GONE = 3.0, 2.0
"""Deviation of the noise from which the filter is on, and below which it is off again."""
ASKED = 0.5
"""Factor of both when somebody asks for it in so many words."""


class FrameNoise:
    """Frames of one scene in order, one thread at a time; `forget` where some were passed by."""

    def __init__(self) -> None:
        self._still = Still()
        self.forget()

    def forget(self) -> None:
        """Another scene; or nobody asks for it, there is no time, or frames were passed by."""
        self._still.forget()
        self._before: Plane | None = None
        self.levels: Levels | None = None
        """Of the noise, as last measured; None before"""
        self._rest = 0
        self.on = False
        """Whether the last frame was filtered"""

    def __call__(self, planes: Planes, in_words: bool) -> Planes:
        """The planes with less grain; the very same while there is none to speak of.

        Args:
            planes: 8-bit planes, only read.
            in_words: Whether the prompt names noise, rather than an estimate.
        """
        self._measure(planes)
        self.on = self.levels is not None and is_noisy(self.levels, self.on, in_words)
        if not self.on or self.levels is None:
            self._still.forget()
            return planes
        return self._still(planes, self.levels)

    def blend(self, still: Planes, other: Planes) -> Planes:
        """The planes held still where the last frame was, and others, restored some other way, where it was let go."""
        moving = self._still.moving
        if moving is None:
            return other
        return Planes(*(_blend(a, b, moving) for a, b in ((still.y, other.y), (still.u, other.u), (still.v, other.v))))

    def _measure(self, planes: Planes) -> None:
        """Every fourth frame against the one before it; while the picture moves as a whole, every one is tried."""
        if self._rest > 0:
            self._rest -= 1
            return
        before, self._before = self._before, None
        if before is not None and before.shape == planes.y.shape and holds_still(before, planes.y):
            self.levels = follow_levels(self.levels, noise_levels(before, planes.y))
            self._rest = EVERY - 2
        else:
            # A copy: decoders use the memory of a frame again.
            self._before = planes.y.copy()


def is_noisy(levels: Levels, before: bool, in_words: bool) -> bool:
    """Whether there is enough noise, given whether there was `before`; with hysteresis, so that it does not flicker."""
    least = (GONE if before else SEEN) * (ASKED if in_words else 1.0)
    return float(np.median(levels)) >= least


def _blend(still: Plane, other: Plane, moving: NDArray[np.float32]) -> Plane:
    share = cv2.resize(moving, still.shape[::-1], interpolation=cv2.INTER_LINEAR)
    step = cv2.multiply(cv2.subtract(other, still, dtype=cv2.CV_32F), share)
    return np.asarray(cv2.add(still, step, dtype=cv2.CV_8U), np.uint8)
