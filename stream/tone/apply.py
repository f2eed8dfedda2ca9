"""A tone applied to planes, and to frames of any format."""

from __future__ import annotations

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from stream.frames.pixels import is_full_range
from stream.frames.planes import Plane, Planes
from stream.frames.replace import replaced
from stream.tone.curve import GREY, Tone, chroma_factors, luma_levels, tint_shares


def toned_planes(planes: Planes, tone: Tone, full_range: bool) -> Planes:
    """New planes; only read, whatever their stride."""
    luma = np.clip(np.rint(luma_levels(tone, full_range)), 0, 255).astype(np.uint8)
    factors = chroma_factors(tone, full_range)
    height, width = planes.u.shape
    small = np.asarray(cv2.resize(planes.y, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    by = np.asarray(cv2.LUT(small, factors), np.float32)
    scale = 255 / 224 if full_range else 1.0
    tinted = bool(tone.tint_u or tone.tint_v)
    shares = np.asarray(cv2.LUT(small, tint_shares(full_range)), np.float32) if tinted else None
    pairs = (planes.u, tone.tint_u), (planes.v, tone.tint_v)
    u, v = (_coloured(plane, tint * scale, shares, by) for plane, tint in pairs)
    return Planes(np.asarray(cv2.LUT(planes.y, luma), np.uint8), u, v)


def _coloured(plane: Plane, tint: float, shares: NDArray[np.float32] | None, by: NDArray[np.float32]) -> Plane:
    from_grey = cv2.subtract(plane, (GREY, 0, 0, 0), dtype=cv2.CV_32F)  # type: ignore[call-overload]
    if shares is not None:
        cv2.scaleAdd(shares, -tint, from_grey, from_grey)
    cv2.multiply(from_grey, by, dst=from_grey)
    return np.asarray(cv2.add(from_grey, (GREY, 0, 0, 0), dtype=cv2.CV_8U), np.uint8)  # type: ignore[call-overload]


def toned_frame(frame: av.VideoFrame, planes: Planes, tone: Tone) -> av.VideoFrame:
    """A copy of the frame under the tone.

    Args:
        frame: Only read.
        planes: Its 8-bit planes.
        tone: What to do.

    Raises:
        BadInput: The frame's pixel format is unknown.
    """
    return replaced(frame, planes, toned_planes(planes, tone, is_full_range(frame)))
