"""How far a frame is from the one before, moved along: E*warp and WE."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.measures import Mask
from training.planar import Floats


@dataclass(frozen=True, slots=True)
class Motion:
    """From a frame back to the one before."""

    back: Floats
    """[H,W,2], x and y: the place in the frame before, relative to the place in this one, px"""
    seen: Mask
    """[H,W], True where that place was seen in the frame before"""


def known_motion(matrices: NDArray[np.float32], height: int, width: int) -> list[Motion]:
    """T-1 motions of a clip that was rendered with affine `matrices` [T,2,3] from one picture."""
    whole = [np.vstack([m, (0, 0, 1)]).astype(np.float64) for m in matrices]
    return [
        _affine(before @ np.linalg.inv(after), height, width) for before, after in zip(whole, whole[1:], strict=False)
    ]


def _affine(matrix: NDArray[np.float64], height: int, width: int) -> Motion:
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    places = np.stack([x, y, np.ones_like(x)], axis=-1) @ matrix[:2].T
    return Motion(np.asarray(places - np.stack([x, y], axis=-1), np.float32), inside(places))


def places_before(back: Floats) -> Floats:
    """[H,W,2], x and y: where each pixel was in the frame before, px."""
    height, width = back.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.asarray(back + np.stack([x, y], axis=-1), np.float32)


def inside(places: NDArray[np.floating]) -> Mask:
    """[H,W], True where the place lies in a frame of that size."""
    height, width = places.shape[:2]
    x, y = places[..., 0], places[..., 1]
    return np.asarray((x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1), np.bool_)


def warp_errors(pictures: list[NDArray[np.uint8]], motion: list[Motion]) -> tuple[float | None, float]:
    """E*warp and WE, thousandths of the squared full range of BGR: how far a frame is from the last one, moved along.

    WE (TDM) counts all places; E*warp only those that were seen in the frame before (Lai et al., 2018), None where none
    was. The clean clip's own figures are not 0: resampling blurs, light changes.
    """
    masked, plain = [], []
    for before, after, step in zip(pictures, pictures[1:], motion, strict=False):
        x, y = cv2.split(places_before(step.back))
        moved = cv2.remap(before.astype(np.float32), x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        squares = ((after.astype(np.float32) - moved) / 255) ** 2
        plain.append(float(squares.mean()))
        if step.seen.any():
            masked.append(float(squares[step.seen].mean()))
    return (1000 * float(np.mean(masked)) if masked else None), 1000 * float(np.mean(plain))
