"""The face crop, read from the planes of its square only."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.frames.levels import CHROMA_TO_LIMITED, LUMA_TO_LIMITED
from stream.frames.planes import Plane, Planes


class CutBuffer:
    """Room for one crop as a graph of edge `graph` wants it; made once, filled again and again."""

    __slots__ = ("uv", "y")

    def __init__(self, graph: int) -> None:
        self.y: NDArray[np.uint8] = np.zeros((1, 1, graph, graph), np.uint8)
        self.uv: NDArray[np.uint8] = np.zeros((1, 2, graph // 2, graph // 2), np.uint8)


def cut(planes: Planes, x: int, y: int, size: int, full_range: bool, into: CutBuffer) -> None:
    """Copy the square at (x, y) into the buffer, scaled down to it where it is larger.

    Args:
        planes: Only read.
        x: Left edge, px, even; may be negative.
        y: Top edge, px, even; may be negative. What lies outside the frame repeats its edge.
        size: Edge of the square, px, even, at least that of the buffer.
        full_range: Whether the planes use 0..255; the buffer gets 16..235.
        into: The buffer.
    """
    _fill(planes.y, x, y, size, LUMA_TO_LIMITED if full_range else None, into.y[0, 0])
    for plane, target in ((planes.u, into.uv[0, 0]), (planes.v, into.uv[0, 1])):
        _fill(plane, x // 2, y // 2, size // 2, CHROMA_TO_LIMITED if full_range else None, target)


def _fill(plane: Plane, x: int, y: int, size: int, levels: Plane | None, target: Plane) -> None:
    height, width = plane.shape
    left, top, right, bottom = max(0, x), max(0, y), min(width, x + size), min(height, y + size)
    piece = plane[top:bottom, left:right]
    if piece.shape != (size, size):
        around = (top - y, y + size - bottom, left - x, x + size - right)
        piece = np.asarray(cv2.copyMakeBorder(piece, *around, cv2.BORDER_REPLICATE), np.uint8)
    piece = reduced(piece, target.shape[0])
    np.copyto(target, piece if levels is None else cv2.LUT(piece, levels))


def reduced(piece: Plane, edge: int) -> Plane:
    """Scaled down to `edge`: by halves, then the rest: area means at any other ratio take several times as long."""
    while piece.shape[0] >= 2 * edge and piece.shape[0] % 2 == 0:
        half = piece.shape[0] // 2
        piece = np.asarray(cv2.resize(piece, (half, half), interpolation=cv2.INTER_AREA), np.uint8)
    if piece.shape[0] != edge:
        piece = np.asarray(cv2.resize(piece, (edge, edge), interpolation=cv2.INTER_LINEAR), np.uint8)
    return piece
