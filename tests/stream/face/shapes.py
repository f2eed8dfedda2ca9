"""A drawn face: landmarks whose outlines are ellipses, enough for whatever only needs polygons."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.face import regions
from stream.frames.planes import Planes

# Outline, centre and half axes in a face one unit wide and 1.2 high.
_ELLIPSES = (
    (regions.FACE_OVAL, (0.0, 0.0), (0.5, 0.6)),
    (regions.NOSE, (0.0, 0.05), (0.08, 0.15)),
    (regions.RIGHT_EYE, (-0.2, -0.1), (0.1, 0.04)),
    (regions.LEFT_EYE, (0.2, -0.1), (0.1, 0.04)),
    (regions.RIGHT_BROW, (-0.2, -0.22), (0.12, 0.03)),
    (regions.LEFT_BROW, (0.2, -0.22), (0.12, 0.03)),
    (regions.LIPS_OUTER, (0.0, 0.32), (0.16, 0.1)),
)


def drawn_face(x: float, y: float, width: float, mouth: float = 0.05) -> NDArray[np.float32]:
    """Landmarks [468, 2] of a face round (x, y), `width` px wide; `mouth` is half the opening, in widths."""
    points = np.zeros((468, 2), np.float32)
    for outline, centre, axes in (*_ELLIPSES, (regions.LIPS_INNER, (0.0, 0.32), (0.1, mouth))):
        turn = np.linspace(0, 2 * np.pi, len(outline), endpoint=False)
        points[list(outline)] = np.stack([np.cos(turn), np.sin(turn)], axis=1) * axes + centre
    # The two lips meet in the middle of the mouth.
    points[[13, 14]] = (0, 0.32 - mouth), (0, 0.32 + mouth)
    # The outer corners give the turn of the head.
    points[33], points[263] = (-0.3, -0.1), (0.3, -0.1)
    return points * width + np.array([x, y], np.float32)


def texture(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """A smooth random picture [height, width] that flow can follow."""
    coarse = np.random.default_rng(seed).integers(30, 220, (height // 8 + 1, width // 8 + 1)).astype(np.float64)
    rows, columns = np.arange(height) / 8, np.arange(width) / 8
    top, left = rows.astype(int), columns.astype(int)
    down, right = (rows - top)[:, None], (columns - left)[None]
    coarse = np.pad(coarse, ((0, 1), (0, 1)), mode="edge")
    upper = coarse[top][:, left] * (1 - right) + coarse[top][:, left + 1] * right
    lower = coarse[top + 1][:, left] * (1 - right) + coarse[top + 1][:, left + 1] * right
    picture: NDArray[np.uint8] = np.rint(upper * (1 - down) + lower * down).astype(np.uint8)
    return picture


def grey(luma: NDArray[np.uint8]) -> Planes:
    """A frame without colour."""
    chroma = np.full(((luma.shape[0] + 1) // 2, (luma.shape[1] + 1) // 2), 128, np.uint8)
    return Planes(luma, chroma, chroma.copy())
