"""How sharp a face is, how much noise lies on it, and whether it was smeared in one direction."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from training.curation.areas import Mask
from training.curation.face import Points

Luma = NDArray[np.float32]
"""[N, N], 0..255"""

FEWEST = 20
"""Pixels that an area needs to be measured."""

FINE, MIDDLE, COARSE = 0.8, 1.6, 3.2
"""Deviations in pixels of the Gaussians between which the bands of detail lie."""

NOISE_IN_FINE, NOISE_IN_MIDDLE = 0.67, 0.08
"""Share of the variance of white noise that is left in the fine band and in the coarser one."""

PORES = 1.2
"""Deviation up to which what looks like noise is the skin's own texture: in 274 sharp stills nine in ten lie below."""

ANGLES = 8
WAVES_FINE = (0.08, 0.25)
WAVES_COARSE = (0.02, 0.06)
"""Cycles a pixel of the two rings of the spectrum that are compared."""

STEADY = 60
"""Waves of average strength that each sector is blended with: in a small face it holds so few that they differ by
chance."""

_LAPLACE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_LAPLACE_GAIN = 6.0
_MEDIAN_OF_NORMAL = 0.6745


def noise_level(luma: Luma, skin: Mask) -> float:
    """Deviation of the noise on the skin, 8-bit units; 0 where there is no skin.

    Immerkaer, "Fast Noise Variance Estimation", 1996: a filter that is blind to edges and slopes. The median of its
    size, not the mean, so that pores and hairs count little.
    """
    if np.count_nonzero(skin) < FEWEST:
        return 0.0
    size = np.abs(cv2.filter2D(luma, -1, _LAPLACE))[skin]
    return float(np.median(size)) / _MEDIAN_OF_NORMAL / _LAPLACE_GAIN


def bands(luma: Luma) -> tuple[Luma, Luma]:
    """Squares of the finest detail and of the next coarser one: blur takes the first away long before the second."""
    fine, middle, coarse = (cv2.GaussianBlur(luma, (0, 0), s) for s in (FINE, MIDDLE, COARSE))
    return np.asarray((luma - fine) ** 2, np.float32), np.asarray((fine - coarse) ** 2, np.float32)


def sharpness(detail: tuple[Luma, Luma], area: Mask, noise: float) -> float:
    """Fine detail over coarse detail in an area, without what noise adds: contrast and light cancel out.

    0 where the area lies outside the picture.
    """
    if np.count_nonzero(area) < FEWEST:
        return 0.0
    fine, coarse = (float(band[area].mean()) for band in detail)
    excess = max(noise * noise - PORES * PORES, 0.0)
    fine -= NOISE_IN_FINE * excess
    coarse -= NOISE_IN_MIDDLE * excess
    return float(np.sqrt(max(fine, 0.0) / max(coarse, 0.25)))


def evenness(luma: Luma, points: Points, noise: float) -> float:
    """Least sharpness of any direction over that of the direction across it: 1 when even, near 0 for motion blur.

    Both are read off the spectrum of the face: a movement takes the fine waves along its way and leaves those across.
    A face as such has more detail in some directions; taking each direction's fine waves over its own coarse ones
    cancels most of that.
    """
    patch = _patch(luma, points)
    if patch is None:
        return 0.0
    window = np.outer(np.hanning(patch.shape[0]), np.hanning(patch.shape[1]))
    power = np.abs(np.fft.fft2((patch - patch.mean()) * window)) ** 2 / float((window**2).sum())
    across = np.fft.fftfreq(patch.shape[1])[None]
    down = np.fft.fftfreq(patch.shape[0])[:, None]
    radius, angle = np.hypot(across, down), np.mod(np.arctan2(down, across), np.pi)
    power = np.maximum(power - noise * noise, 0) * radius**2
    rings = [(radius > low) & (radius < high) for low, high in (WAVES_FINE, WAVES_COARSE)]
    ratios = np.empty(ANGLES)
    for index in range(ANGLES):
        turn = np.mod(angle - index * np.pi / ANGLES + np.pi / 2, np.pi) - np.pi / 2
        sector = np.abs(turn) < np.pi / ANGLES
        fine, coarse = (_strength(power, ring, sector) for ring in rings)
        ratios[index] = np.sqrt(fine / coarse) if coarse > 0 else 0.0
    opposite = np.roll(ratios, ANGLES // 2)
    known = opposite > 0
    return float((ratios[known] / opposite[known]).min()) if known.any() else 0.0


_SMALLEST = 24


def _patch(luma: Luma, points: Points) -> Luma | None:
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    edge = int(0.9 * float(np.ptp(points, axis=0).max()))
    x, y = (max(0, round(float(c) - edge / 2)) for c in centre)
    patch = luma[y : y + edge, x : x + edge]
    return patch if min(patch.shape) >= _SMALLEST else None


def _strength(power: NDArray[np.float64], ring: Mask, sector: Mask) -> float:
    """Average power of a ring's waves in a sector, steadied."""
    own = power[ring & sector]
    return float((own.sum() + STEADY * power[ring].mean()) / (len(own) + STEADY)) if ring.any() else 0.0
