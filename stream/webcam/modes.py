"""What a camera offers, and which of it to take."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

FORMATS = {"NV12": "nv12", "YU12": "yuv420p", "YUYV": "yuyv422", "UYVY": "uyvy422", "MJPG": "mjpeg"}
"""V4L2's four letters to FFmpeg's name, the one that costs least first: those before MJPG need no decoding."""


@dataclass(frozen=True, slots=True)
class Mode:
    """One way in which a camera can deliver."""

    pixel_format: str
    """V4L2's four letters."""
    width: int
    height: int
    rate: Fraction
    """Frames a second."""

    def __str__(self) -> str:
        return f"{self.width}x{self.height} {self.pixel_format} {float(self.rate):g} fps"


def choose(modes: Iterable[Mode], width: int, height: int, rate: Fraction) -> Mode | None:
    """The mode nearest to that size and rate; None where there is none that clearcall can read.

    Too slow counts most, then too small or too large, then other proportions; of equals the cheapest format.
    """
    known = [mode for mode in modes if mode.pixel_format in FORMATS and mode.width > 0 and mode.height > 0]
    return min(known, key=lambda mode: _distance(mode, width, height, rate), default=None)


def _distance(mode: Mode, width: int, height: int, rate: Fraction) -> tuple[float, int]:
    speed = math.log2(mode.rate / rate)
    size = abs(math.log2(mode.width * mode.height / (width * height)))
    proportions = abs(math.log2(mode.width * height / (mode.height * width)))
    cost = (-3 * speed if speed < 0 else 0.5 * speed) + size + 0.5 * proportions
    return round(cost, 3), list(FORMATS).index(mode.pixel_format)
