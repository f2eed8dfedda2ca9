"""How visible the border of the restored square is: what the paste adds to the picture's own gradients along it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.frames.paste import feather
from training.degrade import Planar
from training.planar import Floats, luma

Square = tuple[int, int, int]
"""Left, top, edge of the pasted square, px"""
SIGMA = 2.0
"""Of the blur before gradients are taken, px: grain is no border."""
SECTORS = 64
"""Pieces of the border, by direction from its middle: within one a border runs one way, grain and detail do not."""
LEAST = 1e-4


def visibility(out: Planar, clean: Planar, squares: Sequence[Square | None], given: Planar) -> float | None:
    """Gradient across the border against the clean clip's: 1 is no border, mean over frames; None without one.

    A border shows as a gradient along the mask's, of one sign over a whole piece of it. So the error of the gradient is
    averaged over each piece before its magnitude counts, and set against the clean picture's own mean gradient there.
    An exposure that is wrong all over the frame is fitted away first: it is no border. Nor is what the damage alone
    does to the gradient of a piece: only what is added to that counts.

    Args:
        out: What came out, the square pasted.
        clean: What it should be.
        squares: Of each frame.
        given: What went in.
    """
    frames = zip(luma(out), luma(clean), luma(given), squares, strict=True)
    found = [v for a, b, c, square in frames if square is not None and (v := _frame(a, b, c, square)) is not None]
    return float(np.mean(found)) if found else None


def _frame(out: Floats, clean: Floats, given: Floats, square: Square) -> float | None:
    slope = _gradients(_mask(clean.shape, square))
    steep = np.hypot(*slope)
    where = steep > LEAST
    if not where.any():
        return None
    across, weight = slope[:, where] / steep[where], steep[where]
    rows, columns = np.nonzero(where)
    angle = np.arctan2(rows - rows.mean(), columns - columns.mean()) / np.pi
    sector = ((angle + 1) * SECTORS / 2).astype(int) % SECTORS

    def gradient(picture: Floats) -> Floats:
        blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), SIGMA), np.float32)
        return np.asarray((_gradients(blurred)[:, where] * across).sum(axis=0), np.float32)

    own = gradient(clean)
    ours, theirs = (
        np.abs(np.bincount(sector, weight * (gradient(_fitted(p, clean)) - own), SECTORS)) for p in (out, given)
    )
    there = float((weight * np.abs(own)).sum())
    return 1 + float(np.maximum(ours - theirs, 0).sum()) / there if there > 0 else None


def _mask(shape: tuple[int, ...], square: Square) -> Floats:
    x, y, size = square
    height, width = shape
    mask = np.zeros(shape, np.float32)
    sides = (x > 0, y > 0, x + size < width, y + size < height)
    left, top, right, bottom = max(0, x), max(0, y), min(width, x + size), min(height, y + size)
    mask[top:bottom, left:right] = feather(size, sides)[top - y : bottom - y, left - x : right - x]
    return mask


def _fitted(out: Floats, clean: Floats) -> Floats:
    """The frame under the line that brings it nearest to the clean one."""
    x, y = out.astype(np.float64), clean.astype(np.float64)
    spread = float(x.var())
    slope = float(((x - x.mean()) * (y - y.mean())).mean()) / spread if spread > 0 else 1.0
    return np.asarray(slope * (out - x.mean()) + y.mean(), np.float32)


def _gradients(picture: Floats) -> NDArray[np.float32]:
    """[2, H, W] across and down."""
    return np.stack([np.asarray(cv2.Sobel(picture, cv2.CV_32F, *way), np.float32) for way in ((1, 0), (0, 1))])
