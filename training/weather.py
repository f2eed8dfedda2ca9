"""Haze and rain in front of a face, coherent in time."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def add_haze(pictures: list[Floats], levels: Floats, rng: np.random.Generator) -> list[Floats]:
    """Airlight over the picture: J t + A (1 - t) (Koschmieder), with a smooth t of .85 down to .35 at the mean.

    Args:
        pictures: [H,W,3] in 0..255.
        levels: 0..1, one a frame.
        rng: Decides on the airlight and where the haze is denser; it drifts slowly along the clip.
    """
    height, width = pictures[0].shape[:2]
    airlight = np.float32(rng.uniform(170, 240)) + rng.uniform(-8, 8, 3).astype(np.float32)
    coarse = rng.uniform(-0.12, 0.12, (4, 5)).astype(np.float32)
    drift = float(rng.uniform(-0.01, 0.01))
    out = []
    for index, (picture, level) in enumerate(zip(pictures, levels, strict=True)):
        mean = 0.85 - 0.5 * float(level)
        field = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
        through = np.clip(mean + field + drift * index, 0.15, 0.97)[..., None]
        out.append(np.asarray(picture * through + airlight * (1 - through), np.float32))
    return out


def add_rain(pictures: list[Floats], level: float, rng: np.random.Generator) -> list[Floats]:
    """Bright streaks of equal slant that fall through the picture, most of them within a few frames.

    Args:
        pictures: [H,W,3] in 0..255.
        level: 0..1; .2 to 1.2 % of the pixels start a streak.
        rng: Decides on slant, length, speed and drops.
    """
    height, width = pictures[0].shape[:2]
    length = int(rng.integers(9, 26))
    angle = float(rng.uniform(-0.35, 0.35))
    brightness = float(rng.uniform(60, 130))
    reach = length | 1
    drops = (rng.random((height, width)) < 0.002 + 0.01 * level).astype(np.float32)
    # Wrapped round, as the layer is when it falls: no seam.
    around = np.pad(drops, reach, mode="wrap")
    streaks = np.asarray(cv2.filter2D(around, -1, _line(length, angle)), np.float32)[reach:-reach, reach:-reach]
    streaks = np.asarray(np.minimum(streaks * length, 1.5) * brightness * 0.6, np.float32)
    speed = float(rng.uniform(25, 80))
    out = []
    for index, picture in enumerate(pictures):
        shift = (round(index * speed * np.cos(angle)), round(index * speed * np.sin(angle)))
        layer = np.roll(streaks, shift, axis=(0, 1))[..., None]
        # A streak covers as well as it shines: over white it is hardly seen.
        out.append(np.asarray(picture + layer * (1 - picture / 300), np.float32))
    return out


def _line(length: int, angle: float) -> Floats:
    """Kernel of sum 1 along a slanted line, `angle` radians off the vertical."""
    kernel = np.zeros((length | 1, length | 1), np.float32)
    middle = length // 2
    for step in np.linspace(-length / 2, length / 2, 4 * length):
        row, column = middle + step * np.cos(angle), middle + step * np.sin(angle)
        kernel[min(max(round(float(row)), 0), 2 * middle), min(max(round(float(column)), 0), 2 * middle)] += 1
    return np.asarray(kernel / kernel.sum(), np.float32)
