"""What tone a frame needs: the generator's own change of exposure on the face, and the veil that is left after it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.frames.levels import BLACK, CHROMA, GREY, LUMA, YUV_TO_RGB
from stream.frames.planes import Plane, Planes
from stream.tone.curve import Tone

ROWS = 40
"""Of a frame's thumbnail, at least."""
CELLS = 32
"""Of a crop's thumbnail, along an edge."""
MIDDLE = slice(CELLS // 3, CELLS - CELLS // 3)
"""Cells of the face, both ways."""
CLIPPED = 225.0
"""Levels from which the generator's luma may have hit its ceiling, and says nothing of its gain."""
STIFFNESS = 0.05
"""How much rather a change is taken for a gain than for a lift, where the crop's contrast cannot tell."""
MOST_GAIN = 1.6
LIGHT_ENOUGH = 150.0
"""Level above black of the light parts of a face that nobody would call dark: 19 of 20 portraits stay below."""

AIRLIGHT = 205.0
"""Levels of airlight in RGB: the middle of what haze has."""
SHADOW = 15.0
"""The darkest place of a picture without haze."""
BRIGHTEST, DARKEST = 99.0, 1.0
"""Percentiles of a thumbnail's cells that stand for both ends."""
LIGHTEST = 235.0
"""What the brightest place may become."""
LEAST_THROUGH = 0.35
"""Below this share of the picture the haze is too thick: noise would be all there is to bring back."""
LEAST_VEIL = 0.1
MOST_TINT = 8.0


@dataclass(frozen=True, slots=True)
class LightChange:
    """What the generator did to the crop as a whole: out = exp(gain) in + lift, and exp(colour) on chroma."""

    gain: float = 0.0
    lift: float = 0.0
    colour: float = 0.0
    light: float = 0.0
    """Level above black of the crop's middle, the face, before it: the third quartile, past hair and shadows"""

    @property
    def sensible_gain(self) -> float:
        """The gain, as far as it leaves the face no brighter than portraits are.

        Who asks for light in broad daylight must not get a white picture.
        """
        enough = max(0.0, math.log(LIGHT_ENOUGH / max(1.0, self.light)))
        return min(self.gain, enough)


def generators_change(before: tuple[Plane, NDArray[np.uint8]], after: tuple[Plane, NDArray[np.uint8]]) -> LightChange:
    """The line through the cells of the crop (y [G, G], uv [2, G/2, G/2], limited range) before and after."""
    cells = cells_of(before[0]) - BLACK
    x, y = cells.ravel(), cells_of(after[0]).ravel() - BLACK
    told, light = y < CLIPPED - BLACK, float(np.percentile(cells[MIDDLE, MIDDLE], 75))
    if told.sum() < CELLS:
        return LightChange()
    x, y = x[told], y[told]
    # Least squares with a price on the lift: in a crop of one grey, every mixture of both would do.
    ones = 1 + STIFFNESS
    determinant = float(np.mean(x * x)) * ones - float(np.mean(x)) ** 2
    if determinant <= 1.0:
        return LightChange()
    factor = (float(np.mean(x * y)) * ones - float(np.mean(x)) * float(np.mean(y))) / determinant
    lift = (float(np.mean(y)) - factor * float(np.mean(x))) / ones
    one, other = (np.stack([cells_of(plane) for plane in uv]) - GREY for _, uv in (before, after))
    energy = float(np.mean(one * one))
    colour = float(np.mean(one * other)) / energy if energy > 1.0 else factor
    return LightChange(_log(factor), lift, _log(colour), light)


def veil_left(thumbnail: NDArray[np.float32], tone: Tone) -> tuple[float, float, float, float]:
    """Veil, contrast and both tints of a frame that went through `tone`'s gain and lift.

    After the dark channel (He et al., 2009): without haze, some place of a picture is dark in some colour. One veil for
    the whole frame: a white wall has no dark place of its own, and would be taken for fog.

    Args:
        thumbnail: [3, h, w] Y, U and V in limited range.
        tone: Its gain and lift count.
    """
    factor = math.exp(tone.gain)
    yuv = thumbnail.reshape(3, -1).astype(np.float64) - np.array([[BLACK], [GREY], [GREY]])
    yuv = yuv * factor + np.array([[tone.lift], [0.0], [0.0]])
    rgb = YUV_TO_RGB @ yuv
    dark, bright = np.percentile(rgb.min(axis=0), DARKEST), np.percentile(rgb.max(axis=0), BRIGHTEST)
    through = max((AIRLIGHT - dark) / (AIRLIGHT - SHADOW), (bright - dark) / (LIGHTEST - SHADOW), LEAST_THROUGH)
    if through > 1 - LEAST_VEIL:
        return 0.0, 0.0, 0.0, 0.0
    # What is darkest has next to no colour of its own: what it shows is the veil's.
    few = max(1, yuv.shape[1] // 50)
    least = yuv[:, np.argpartition(yuv[0], few - 1)[:few]].mean(axis=1)
    tints = np.clip(least[1:], -MOST_TINT, MOST_TINT) * (1 - through)
    level = max(0.0, float(dark) - SHADOW * through) * LUMA / 255
    return level, -math.log(through), float(tints[0]), float(tints[1])


def thumbnail_of(planes: Planes, full_range: bool, half: Plane | None = None) -> NDArray[np.float32]:
    """[3, h, w] Y, U and V in limited range: a few rows of averages of every part of the frame.

    Args:
        planes: Of the frame.
        full_range: Whether they use 0..255.
        half: Luma in chroma's size, if that is there already.
    """
    step = max(1, planes.height // ROWS)
    size = max(1, planes.width // step), max(1, planes.height // step)
    y = planes.y if half is None else half
    small = np.stack([_averages(plane, size) for plane in (y, planes.u, planes.v)]).astype(np.float32)
    if full_range:
        small[0] = BLACK + small[0] * (LUMA / 255)
        small[1:] = GREY + (small[1:] - GREY) * (CHROMA / 255)
    return small


def _averages(plane: Plane, size: tuple[int, int]) -> Plane:
    """Scaled down: by halves, then the rest: area means at any other ratio take several times as long."""
    while plane.shape[1] >= 2 * size[0] and plane.shape[0] >= 2 * size[1]:
        half = plane.shape[1] // 2, plane.shape[0] // 2
        plane = np.asarray(cv2.resize(plane, half, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)


def cells_of(plane: Plane) -> NDArray[np.float64]:
    """[CELLS, CELLS] averages of a crop's plane [G, G]: noise hardly counts."""
    return _averages(plane, (CELLS, CELLS)).astype(np.float64)


def _log(factor: float) -> float:
    return min(MOST_GAIN, max(-MOST_GAIN, math.log(max(factor, 1e-3))))
