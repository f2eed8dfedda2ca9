"""A tone applied to planes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.frames.levels import GREY, steps
from stream.frames.planes import Plane, Planes
from stream.tone.curve import Tone, chroma_factors, luma_levels, tint_shares

EVEN = 0.25 / GREY
"""Factors of chroma that differ by no more are one: what comes out is the same level, or the next."""


def halved(luma: Plane, shape: tuple[int, ...]) -> Plane:
    """Luma in chroma's size, [h, w]."""
    return np.asarray(cv2.resize(luma, shape[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def toned_planes(planes: Planes, tone: Tone, full_range: bool, small: Plane | None = None) -> Planes:
    """New planes; only read, whatever their stride.

    Args:
        planes: Before it.
        tone: What to do.
        full_range: Whether they use 0..255.
        small: Luma in chroma's size, if that is there already.
    """
    small = halved(planes.y, planes.u.shape) if small is None else small
    factors = chroma_factors(tone, full_range)
    _, by_u, by_v = steps(full_range)
    pairs = (planes.u, tone.tint_u * by_u), (planes.v, tone.tint_v * by_v)
    low, high = (int(level) for level in cv2.minMaxLoc(small)[:2])
    shares = tint_shares(full_range)
    tinted = bool(tone.tint_u or tone.tint_v)
    if np.ptp(factors[low : high + 1]) <= EVEN and (not tinted or shares[low] == 1):
        u, v = (np.asarray(cv2.LUT(plane, _even(tint, factors[high])), np.uint8) for plane, tint in pairs)
    else:
        by = np.asarray(cv2.LUT(small, factors), np.float32)
        parts = np.asarray(cv2.LUT(small, shares), np.float32) if tinted else None
        u, v = (_coloured(plane, tint, parts, by) for plane, tint in pairs)
    return Planes(toned_luma(planes.y, tone, full_range), u, v)


def toned_luma(luma: Plane, tone: Tone, full_range: bool) -> Plane:
    """A plane of luma under a tone."""
    levels = np.clip(np.rint(luma_levels(tone, full_range)), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(luma, levels), np.uint8)


def _even(tint: float, by: np.float32) -> Plane:
    """[256] what becomes of chroma where luma makes no difference."""
    return np.asarray(np.clip(np.rint((np.arange(256) - GREY - tint) * by + GREY), 0, 255), np.uint8)


def _coloured(plane: Plane, tint: float, shares: NDArray[np.float32] | None, by: NDArray[np.float32]) -> Plane:
    from_grey = cv2.subtract(plane, (GREY, 0, 0, 0), dtype=cv2.CV_32F)  # type: ignore[call-overload]
    if shares is not None:
        cv2.scaleAdd(shares, -tint, from_grey, from_grey)
    cv2.multiply(from_grey, by, dst=from_grey)
    return np.asarray(cv2.add(from_grey, (GREY, 0, 0, 0), dtype=cv2.CV_8U), np.uint8)  # type: ignore[call-overload]
