"""The restored crop, added back into a copy of the frame under a feathered mask."""

from __future__ import annotations

from functools import lru_cache

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from stream.frames.cut import CutBuffer
from stream.frames.layout import Layout, chroma_steps
from stream.frames.levels import YUV_TO_RGB, steps
from stream.frames.pixels import Samples, channels, is_full_range, layout
from stream.frames.planes import Plane

FEATHER = 0.125
"""Width of the ramp along each side of the crop, as a share of its edge."""

COARSE = 32
"""Cells along the crop's edge whose means are the coarse part of a change: it may fade another way than its detail."""

SEEN = 0.25
"""Levels up to which a coarse part is as good as none."""

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


class Room:
    """Memory for what is pasted, used again: nothing of a picture's size is to be asked of the system for each one."""

    def __init__(self, edge: int) -> None:
        """Make room for crops of that edge."""
        self.edge = edge
        self.changes: list[Change] = [np.empty((size, size), np.float32) for size in (edge, edge // 2, edge // 2)]
        """Of Y [edge, edge], U and V [edge/2, edge/2]"""
        self._spread = np.empty(edge * edge, np.float32)

    def spread(self, edge: int) -> Change:
        """[edge, edge], not larger than the crop; one at a time."""
        return self._spread[: edge * edge].reshape(edge, edge)


def differences(
    before: CutBuffer, after_y: Plane, after_uv: NDArray[np.uint8], into: Room | None = None
) -> list[Change]:
    """What became of a crop, less the crop: of Y [G, G], U and V [G/2, G/2]; in a room that is there, or a new one."""
    made = (into or Room(after_y.shape[0])).changes
    for after, old, change in zip((after_y, *after_uv), (before.y[0, 0], *before.uv[0]), made, strict=True):
        cv2.subtract(after, old, dst=change, dtype=cv2.CV_32F)
    return made


def sides_within(frame: av.VideoFrame, x: int, y: int, size: int) -> Sides:
    """On which sides the square at (x, y) ends within the frame."""
    return x > 0, y > 0, x + size < frame.width, y + size < frame.height


def add_square(
    out: av.VideoFrame,
    x: int,
    y: int,
    size: int,
    changes: list[Change],
    fading: Mask | None = None,
    room: Room | None = None,
) -> None:
    """Add a change to the square at (x, y) of a frame of our own, under the feathered mask.

    The change, not the crop: a frame of more depth or resolution than the generator's keeps it.

    With `fading`, in two bands (Burt & Adelson, A multiresolution spline, 1983): detail, which nobody misses beyond the
    border, up to the square's own ramp; the coarse part, which would show as a square, under that mask.

    Args:
        out: Written into.
        x: Left edge, px, even; may be negative.
        y: Top edge, px, even; may be negative. What lies outside the frame is left out.
        size: Edge of the square, px, a multiple of 4.
        changes: Of Y [G, G], U and V [G/2, G/2], in 8-bit levels of limited range; used up.
        fading: [COARSE, COARSE] share of the coarse part that each cell gets.
        room: To work in, of this crop's edge; by default a new one.

    Raises:
        BadInput: The frame's pixel format is unknown.
    """
    found = layout(out)
    sides = sides_within(out, x, y, size)
    units = _units(found, is_full_range(out))
    # A grey frame has one channel only.
    pairs = zip(changes, units, strict=True)
    room = room or Room(changes[0].shape[0])
    masked = [_masked(change, unit, sides, fading, room) for change, unit in pairs][: len(found.channels)]
    if found.kind == "rgb":
        masked = in_rgb(masked)
    for index, (view, change) in enumerate(zip(channels(out), masked, strict=True)):
        # Formats with a sample of chroma for four columns get its change up to half a sample off.
        sx, sy = chroma_steps(out.format.name) if index else (1, 1)
        add_change(view, x // sx, y // sy, scaled(change, size // sx, size // sy), found)


def _units(found: Layout, full_range: bool) -> tuple[float, float, float]:
    """Steps of the frame's components for one of Y, U and V of the generator's (8 bits, limited range)."""
    top = (1 << found.depth) - 1
    if found.kind == "rgb":
        return (top / 255,) * 3
    return steps(full_range, top)


def _masked(change: Change, unit: float, sides: Sides, fading: Mask | None, room: Room) -> Change:
    """Under the mask, in the frame's own steps; where it was, since room for another costs as much as the work."""
    edge = change.shape[0]
    coarse = None if fading is None else cv2.resize(change, (COARSE, COARSE), interpolation=cv2.INTER_AREA)
    if coarse is None or fading is None or np.abs(coarse).max() < SEEN:
        cv2.multiply(change, feather(edge, sides), dst=change, scale=unit)
        return change
    spread = room.spread(edge)
    cv2.resize(coarse, (edge, edge), dst=spread, interpolation=cv2.INTER_LINEAR)
    cv2.subtract(change, spread, dst=change)
    cv2.multiply(change, feather(edge, sides), dst=change, scale=unit)
    cv2.resize(coarse * (fading * np.float32(unit)), (edge, edge), dst=spread, interpolation=cv2.INTER_LINEAR)
    cv2.add(change, spread, dst=change)
    return change


def in_rgb(changes: list[Change]) -> list[Change]:
    """Changes of R, G and B for those of Y, U and V, at the resolution of Y."""
    height, width = changes[0].shape
    y, u, v = (scaled(change, width, height) for change in changes)
    by = YUV_TO_RGB.tolist()
    return [np.asarray(cv2.scaleAdd(y, by_y, u * by_u + v * by_v), np.float32) for by_y, by_u, by_v in by]


def scaled(change: Change, width: int, height: int) -> Change:
    """The change at another resolution."""
    if change.shape == (height, width):
        return change
    return np.asarray(cv2.resize(change, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def add_change(view: Samples, x: int, y: int, change: Change, found: Layout) -> None:
    """Add to a component where the change, its corner at (x, y), lies within the plane."""
    height, width = view.shape
    left, top, right, bottom = max(0, x), max(0, y), min(width, x + change.shape[1]), min(height, y + change.shape[0])
    place = view[top:bottom, left:right]
    part = change[top - y : bottom - y, left - x : right - x]
    if found.depth == 8 and place.strides[1] == 1:
        cv2.add(place, part, dst=place, dtype=cv2.CV_8U)
        return
    if found.depth == 8:
        place[:] = cv2.add(place, part, dtype=cv2.CV_8U)
        return
    value = np.asarray(cv2.add(place >> found.shift, part, dtype=cv2.CV_16U), np.uint16)
    np.minimum(value, (1 << found.depth) - 1, out=value)
    place[:] = value << found.shift
