"""The restored crop, added back into a copy of the frame under a feathered mask."""

from __future__ import annotations

from functools import lru_cache

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from stream.frames.cut import CutBuffer
from stream.frames.layout import Layout
from stream.frames.pixels import add_change, channels, copy_frame, is_full_range, layout
from stream.frames.planes import Plane

FEATHER = 0.125
"""Width of the ramp along each side of the crop, as a share of its edge."""
ONE = 1 << 14
"""Mask value that lets the whole change through."""

Mask = NDArray[np.int16]
Change = NDArray[np.int16]
Sides = tuple[bool, bool, bool, bool]
"""Left, top, right, bottom: whether the mask falls to zero there."""


@lru_cache(maxsize=32)
def feather(edge: int, sides: Sides) -> Mask:
    """Mask [edge, edge] in 0..`ONE`, zero on the sides that are True, whole on those along the frame's own edge."""
    width = max(1, round(FEATHER * edge))
    ramp = np.minimum(1.0, np.arange(edge) / width)
    ramp = ramp * ramp * (3 - 2 * ramp)
    one = np.ones(edge)
    across = (ramp if sides[0] else one) * (ramp[::-1] if sides[2] else one)
    down = (ramp if sides[1] else one) * (ramp[::-1] if sides[3] else one)
    return np.rint(ONE * down[:, None] * across[None, :]).astype(np.int16)


def paste(
    frame: av.VideoFrame, x: int, y: int, size: int, before: CutBuffer, after_y: Plane, after_uv: NDArray[np.uint8]
) -> av.VideoFrame:
    """A copy of the frame with what the generator changed in the square at (x, y).

    The change, not the crop, is what goes back: a frame of more depth or resolution than the generator's keeps it.

    Args:
        frame: Only read.
        x: Left edge of the square, px, even.
        y: Top edge, px, even.
        size: Edge of the square, px.
        before: The crop that the generator got.
        after_y: [G, G] restored luma.
        after_uv: [2, G/2, G/2] restored chroma.
    """
    out = copy_frame(frame)
    sides = (x > 0, y > 0, x + size < frame.width, y + size < frame.height)
    pairs = ((after_y, before.y[0, 0]), (after_uv[0], before.uv[0, 0]), (after_uv[1], before.uv[0, 1]))
    changes = [_masked(after, old, sides) for after, old in pairs]
    found = layout(frame)
    if _is_plain(found) and not is_full_range(frame) and frame.format.name in {"yuv420p", "nv12", "nv21"}:
        for index, (view, change) in enumerate(zip(channels(out), changes, strict=True)):
            half = 2 if index else 1
            _add(view, x // half, y // half, _scaled(change, size // half))  # type: ignore[arg-type]
        return out
    left, top = max(0, x), max(0, y)
    window = (slice(top - y, min(size, frame.height - y)), slice(left - x, min(size, frame.width - x)))
    full = [_scaled(change.astype(np.float32), size)[window] for change in changes]
    add_change(out, left, top, full)
    return out


def _is_plain(found: Layout) -> bool:
    return found.kind == "yuv" and found.depth == 8


def _masked(after: Plane, before: Plane, sides: Sides) -> Change:
    change = cv2.subtract(after, before, dtype=cv2.CV_16S)
    mask = feather(after.shape[0], sides)
    return np.asarray(cv2.multiply(change, mask, scale=1 / ONE, dtype=cv2.CV_16S), np.int16)


def _scaled(change: NDArray[np.generic], size: int) -> NDArray[np.generic]:
    if change.shape[0] == size:
        return change
    return np.asarray(cv2.resize(change, (size, size), interpolation=cv2.INTER_LINEAR))  # type: ignore[call-overload]


def _add(plane: Plane, x: int, y: int, change: Change) -> None:
    """Add where the square lies within the plane."""
    height, width = plane.shape
    size = change.shape[0]
    left, top, right, bottom = max(0, x), max(0, y), min(width, x + size), min(height, y + size)
    place = plane[top:bottom, left:right]
    place[:] = cv2.add(place, change[top - y : bottom - y, left - x : right - x], dtype=cv2.CV_8U)
