"""Exact motion between two frames that were both sampled from the same still."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.lookup import field_at, pixel_grid

Floats = NDArray[np.float32]

STEPS = 4
TOLERANCE = 0.25
"""Pixels of the frame by which the found place may miss the one looked for."""


def flow_back(before: Floats, now: Floats) -> tuple[Floats, Floats]:
    """Where each pixel of a frame was in an earlier one.

    Solves before(p + flow(p)) = now(p) by Newton's method, which the small steps between frames suit.

    Args:
        before: [H,W,2], where the pixels of the earlier frame come from in the still, x and y.
        now: The same of the later frame.

    Returns:
        flow [2,H,W] in pixels, x and y: what is at p in the later frame is at p + flow(p) in the earlier one; and
        visible [1,H,W], 1 where that is so, 0 where it lies outside or was hidden.
    """
    height, width = now.shape[:2]
    slopes = np.concatenate([_slope(before, axis) for axis in (1, 0)], axis=2)
    grid = pixel_grid(max(height, width))[:height, :width]
    place = grid.copy()
    missed = now - field_at(before, place)
    for _ in range(STEPS):
        slope = field_at(slopes, place)
        jx, jy = slope[..., :2], slope[..., 2:]
        area = jx[..., 0] * jy[..., 1] - jx[..., 1] * jy[..., 0]
        area = np.where(np.abs(area) < 1e-3, np.float32(1e-3), area)
        step_x = (missed[..., 0] * jy[..., 1] - missed[..., 1] * jy[..., 0]) / area
        step_y = (missed[..., 1] * jx[..., 0] - missed[..., 0] * jx[..., 1]) / area
        place = place + np.clip(np.stack([step_x, step_y], axis=-1), -8, 8)
        missed = now - field_at(before, place)
    # In pixels of the frame: the still may be finer.
    scale = np.sqrt(np.maximum(np.abs(area), 1e-3))
    column, row, edge = place[..., 0], place[..., 1], 0.01
    inside = (column >= -edge) & (row >= -edge) & (column <= width - 1 + edge) & (row <= height - 1 + edge)
    visible = inside & (np.hypot(missed[..., 0], missed[..., 1]) < TOLERANCE * scale)
    flow = np.where(visible[..., None], place - grid, 0).transpose(2, 0, 1)
    return np.asarray(flow, np.float32), visible[None].astype(np.float32)


def _slope(field: Floats, axis: int) -> Floats:
    return np.asarray(np.gradient(field, axis=axis), np.float32)
