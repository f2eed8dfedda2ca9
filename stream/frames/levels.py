"""The scales of 8-bit YUV (ITU-R BT.601): limited range, which the generator works in, and full range."""

from __future__ import annotations

import numpy as np

BLACK, GREY = 16, 128
"""Luma of black in limited range; chroma of grey in either"""
LUMA, CHROMA = 219.0, 224.0
"""Levels of limited range for the 255 of full range"""

_LEVELS = np.arange(256)
LUMA_TO_LIMITED = np.rint(BLACK + _LEVELS * (LUMA / 255)).astype(np.uint8)
CHROMA_TO_LIMITED = np.rint(GREY + (_LEVELS - GREY) * (CHROMA / 255)).astype(np.uint8)
"""[256] full-range levels on the generator's scale, 16..235 (240 for chroma)"""

YUV_TO_RGB = np.array([[1.164, 0.0, 1.596], [1.164, -0.392, -0.813], [1.164, 2.017, 0.0]])
"""Change of red, green and blue for one level of Y, U and V in limited range"""


def steps(full_range: bool, top: float = 255.0) -> tuple[float, float, float]:
    """What one level of Y, U and V in limited range is on the scale of a frame's planes.

    Args:
        full_range: Whether they use 0..top.
        top: Their highest level; in limited range the scale grows with the power of two above it.
    """
    if full_range:
        return top / LUMA, top / CHROMA, top / CHROMA
    return ((top + 1) / 256,) * 3
