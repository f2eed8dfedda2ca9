"""The restored crop, added back into a copy of the frame under a feathered mask."""

from __future__ import annotations

from functools import lru_cache

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from stream.frames.cut import CutBuffer
from stream.frames.layout import Layout
from stream.frames.pixels import Samples, channels, chroma_steps, copy_frame, is_full_range, layout
from stream.frames.planes import Plane

FEATHER = 0.125
"""Width of the ramp along each side of the crop, as a share of its edge."""

FROM_LUMA, RED_FROM_V, GREEN_FROM_U, GREEN_FROM_V, BLUE_FROM_U = 1.164, 1.596, -0.392, -0.813, 2.017
"""Change of a component of RGB per unit of Y, U or V (BT.601, limited range)."""

Mask = NDArray[np.float32]
Change = NDArray[np.float32]
Sides = tuple[bool, bool, bool, bool]
"""Left, top, right, bottom: whether the mask falls to zero there."""


@lru_cache(maxsize=32)
def feather(edge: int, sides: Sides) -> Mask:
    """Mask [edge, edge] in 0..1, zero on the sides that are True, whole on those along the frame's own edge."""
    width = max(1, round(FEATHER * edge))
    ramp = np.minimum(1.0, np.arange(edge) / width)
    ramp = ramp * ramp * (3 - 2 * ramp)
    one = np.ones(edge)
    across = (ramp if sides[0] else one) * (ramp[::-1] if sides[2] else one)
    down = (ramp if sides[1] else one) * (ramp[::-1] if sides[3] else one)
    mask = (down[:, None] * across[None, :]).astype(np.float32)
    mask.flags.writeable = False
    return mask


def paste(
    frame: av.VideoFrame, x: int, y: int, size: int, before: CutBuffer, after_y: Plane, after_uv: NDArray[np.uint8]
) -> av.VideoFrame:
    """A copy of the frame with what the generator changed in the square at (x, y).

    The change, not the crop, is what goes back: a frame of more depth or resolution than the generator's keeps it.

    Args:
        frame: Only read.
        x: Left edge of the square, px, even; may be negative.
        y: Top edge, px, even; may be negative. What lies outside the frame is left out.
        size: Edge of the square, px, a multiple of 4.
        before: The crop that the generator got.
        after_y: [G, G] restored luma.
        after_uv: [2, G/2, G/2] restored chroma.

    Raises:
        BadInput: The pixel format is unknown.
    """
    found = layout(frame)
    out = copy_frame(frame)
    sides = (x > 0, y > 0, x + size < frame.width, y + size < frame.height)
    units = _units(found, is_full_range(frame))
    pairs = (
        (after_y, before.y[0, 0], units[0]),
        (after_uv[0], before.uv[0, 0], units[1]),
        (after_uv[1], before.uv[0, 1], units[2]),
    )
    # A grey frame has one channel only.
    changes = [_masked(after, old, unit, sides) for after, old, unit in pairs[: len(found.channels)]]
    if found.kind == "rgb":
        changes = _in_rgb(changes)
    for index, (view, change) in enumerate(zip(channels(out), changes, strict=True)):
        # Formats with a sample of chroma for four columns get its change up to half a sample off.
        sx, sy = chroma_steps(frame) if index else (1, 1)
        _add(view, x // sx, y // sy, _scaled(change, size // sx, size // sy), found)
    return out


def _units(found: Layout, full_range: bool) -> tuple[float, float, float]:
    """Steps of the frame's components for one of Y, U and V of the generator's (8 bits, limited range)."""
    top = (1 << found.depth) - 1
    if found.kind == "rgb":
        return (top / 255,) * 3
    if full_range:
        return top / 219, top / 224, top / 224
    return (float(1 << (found.depth - 8)),) * 3


def _masked(after: Plane, before: Plane, unit: float, sides: Sides) -> Change:
    change = cv2.subtract(after, before, dtype=cv2.CV_32F)
    return np.asarray(cv2.multiply(change, feather(after.shape[0], sides), scale=unit), np.float32)


def _in_rgb(changes: list[Change]) -> list[Change]:
    edge = changes[0].shape[0]
    y, u, v = (_scaled(change, edge, edge) for change in changes)
    chroma = v * RED_FROM_V, u * GREEN_FROM_U + v * GREEN_FROM_V, u * BLUE_FROM_U
    return [np.asarray(cv2.scaleAdd(y, FROM_LUMA, part), np.float32) for part in chroma]


def _scaled(change: Change, width: int, height: int) -> Change:
    if change.shape == (height, width):
        return change
    return np.asarray(cv2.resize(change, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _add(view: Samples, x: int, y: int, change: Change, found: Layout) -> None:
    """Add where the square lies within the plane."""
    height, width = view.shape
    left, top, right, bottom = max(0, x), max(0, y), min(width, x + change.shape[1]), min(height, y + change.shape[0])
    place = view[top:bottom, left:right]
    part = change[top - y : bottom - y, left - x : right - x]
    if found.depth == 8:
        place[:] = cv2.add(place, part, dtype=cv2.CV_8U)
        return
    value = np.asarray(cv2.add(place >> found.shift, part, dtype=cv2.CV_16U), np.uint16)
    np.minimum(value, (1 << found.depth) - 1, out=value)
    place[:] = value << found.shift
