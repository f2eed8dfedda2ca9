"""Which square of the frame the generator gets: steady, on a grid, at the camera's own resolution."""

from __future__ import annotations

import math
from dataclasses import dataclass

from stream.face.roi import Box

MARGIN = 1.7
"""Edge of the crop wanted, in face sizes."""

TIGHTEST = 1.3
"""Margin down to which the largest graph is taken as it is: a narrower crop at the camera's own resolution is better
than a wide one scaled down."""

RESIZE = 0.08
"""How far past a size the wanted edge has to be, either way, before a crop of it or of the next one up changes."""

TOLERANCE = 0.04
"""A size may be this much smaller than wanted: the margin is generous, the next larger graph costs twice the time."""

DRIFT = 0.75
"""Grid steps that the wanted place has to be away before the crop moves; less than half would flicker."""

COARSE = 64
"""Sizes above the largest graph are multiples of this."""


@dataclass(slots=True, frozen=True)
class Crop:
    """A square of the frame."""

    x: int
    """Left edge, px, even; negative where the frame is narrower than the crop."""
    y: int
    """Top edge, px, even; negative where the frame is lower than the crop."""
    size: int
    """Edge, frame pixels."""
    graph: int
    """Edge the generator runs at: equal to `size`, or the largest graph where the face is larger than that."""


def next_crop(
    previous: Crop | None,
    face_box: Box,
    frame_width: int,
    frame_height: int,
    graph_sizes: tuple[int, ...],
    step: int = 32,
) -> Crop:
    """The crop for the next frame; the previous one as long as it will do, so that cached latents stay registered.

    Args:
        previous: What the last frame got; None at the start of a track.
        face_box: Left, top, right, bottom of the face, px.
        frame_width: Of the luma plane, px.
        frame_height: Of the luma plane, px.
        graph_sizes: Edges of the graphs that may run now, even, in any order.
        step: Grid the crop's corner sits on, px, even; left only where the frame's end would cut the face off.
    """
    left, top, right, bottom = face_box
    size = _size(previous, MARGIN * max(right - left, bottom - top), graph_sizes)
    x, y = (previous.x, previous.y) if previous is not None and previous.size == size else (None, None)
    return Crop(
        x=_place(x, left, right, size, frame_width, step),
        y=_place(y, top, bottom, size, frame_height, step),
        size=size,
        graph=min(size, max(graph_sizes)),
    )


def _size(previous: Crop | None, wanted: float, graph_sizes: tuple[int, ...]) -> int:
    largest = max(graph_sizes)
    before = 0 if previous is None else previous.size
    if before not in graph_sizes and (before <= largest or (before - largest) % COARSE):
        return _smallest(wanted, graph_sizes)
    # The wanted edges that this size is for lie between what the next smaller one holds and what it holds itself.
    smaller = max((size for size in graph_sizes if size < before), default=0)
    lower = _holds(max(smaller, before - COARSE) if before > largest else smaller, largest)
    keep = lower * (1 - RESIZE) <= wanted <= _holds(before, largest) * (1 + RESIZE)
    return before if keep else _smallest(wanted, graph_sizes)


def _holds(size: int, largest: int) -> float:
    """The wanted edge that a crop of this size is good for; from the largest graph on the margin may shrink."""
    return size if size < largest else size * MARGIN / TIGHTEST


def _smallest(wanted: float, graph_sizes: tuple[int, ...]) -> int:
    """The smallest size that holds the wanted edge, or nearly."""
    largest = max(graph_sizes)
    fitting = [size for size in graph_sizes if _holds(size, largest) * (1 + TOLERANCE) >= wanted]
    if fitting:
        return min(fitting)
    return largest + COARSE * math.ceil((wanted * TIGHTEST / MARGIN / (1 + TOLERANCE) - largest) / COARSE)


def _place(before: int | None, start: float, end: float, size: int, frame: int, step: int) -> int:
    """Where the crop begins along one axis, for a face from `start` to `end`."""
    if size >= frame:
        return -((size - frame) // 4 * 2)
    last = (frame - size) // 2 * 2
    wanted = min(max((start + end - size) / 2, 0), last)

    def holds(place: int) -> bool:
        return 0 <= place <= last and place <= max(start, 0) and min(end, last + size) <= place + size

    if before is not None and holds(before) and abs(wanted - before) <= DRIFT * step:
        return before
    snapped = min(round(wanted / step), last // step) * step
    return snapped if holds(snapped) else round(wanted / 2) * 2
