"""From one expression of a person to another: two stills, brought onto each other by their landmarks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.face.regions import FACE_OVAL
from training.faces import Picture
from training.lookup import field_at, picture_at

Floats = NDArray[np.float32]

CELL = 8
"""Pixels of the still per cell of the field of displacements."""
REACH = 12.0
"""Deviation, in pixels, of the landmarks' influence; it grows where there are none near."""


@dataclass(frozen=True, slots=True)
class Morph:
    """How the second still lies on the first one."""

    moves: Floats
    """[h, w, 2] in pixels, on cells: how far what is at a place of the first still lies off in the second, aligned"""
    matrix: Floats
    """[2, 3], pixels of the first still to those of the second: similarity"""
    face: Floats
    """[h, w] in 0..1, on cells: where the two are mixed; hair and wall stay those of the first"""

    def at(self, place: Floats) -> Floats:
        """The displacements at [h, w, 2] places of the first still."""
        return field_at(self.moves, np.asarray(place / CELL, np.float32))


def find_morph(first: Floats, second: Floats, shape: tuple[int, int]) -> Morph | None:
    """From landmarks [468, 2] of two stills, the first of (height, width) pixels; None if they cannot be aligned."""
    matrix, _ = cv2.estimateAffinePartial2D(first, second, method=cv2.LMEDS)
    if matrix is None or not np.isfinite(matrix).all():
        return None
    back = cv2.invertAffineTransform(matrix)
    off = (second @ back[:, :2].T + back[:, 2] - first).astype(np.float32)
    rows, columns = shape[0] // CELL + 2, shape[1] // CELL + 2
    weights, sums = np.zeros((rows, columns), np.float32), np.zeros((rows, columns, 2), np.float32)
    cells = np.clip(np.rint(first / CELL).astype(int), 0, (columns - 1, rows - 1))
    np.add.at(weights, (cells[:, 1], cells[:, 0]), 1)
    np.add.at(sums, (cells[:, 1], cells[:, 0]), off)
    # Normalised convolution, fine where landmarks are dense and coarse elsewhere.
    total, moved = np.full((rows, columns), 1e-4, np.float32), np.zeros((rows, columns, 2), np.float32)
    for factor, share in ((1.0, 1.0), (3.0, 0.03)):
        deviation = factor * REACH / CELL
        total += share * cv2.GaussianBlur(weights, (0, 0), deviation)
        moved += share * cv2.GaussianBlur(sums, (0, 0), deviation)
    face = np.zeros((rows, columns), np.float32)
    cv2.fillPoly(face, [np.rint(first[list(FACE_OVAL)] / CELL).astype(np.int32)], (1.0,))
    face = np.asarray(cv2.GaussianBlur(cv2.erode(face, np.ones((3, 3), np.uint8)), (0, 0), 1.5), np.float32)
    return Morph(moved / total[..., None], np.asarray(matrix, np.float32), face)


def mixed(
    first: Picture, second: Picture, morph: Morph, place: Floats, weight: float, scale: float
) -> tuple[Picture, Floats]:
    """A face on the way from the first still to the second.

    Args:
        first: [H,W,3].
        second: Another size is fine.
        morph: Of the two.
        place: [h,w,2], where in the first still each pixel would come from if the face stayed as it is.
        weight: 0 is the first's expression, 1 the second's.
        scale: Of the pictures given against the stills that the morph was found for.

    Returns:
        [h,w,3], and where each pixel comes from in the first still, [h,w,2].
    """
    # One step back from the mixed shape to the first's, and from there on to the second's.
    origin = place - np.float32(weight) * morph.at(place)
    origin = place - np.float32(weight) * morph.at(origin)
    other = origin + morph.at(origin)
    there = np.asarray(other @ morph.matrix[:, :2].T + morph.matrix[:, 2], np.float32)
    one, two = sampled(first, origin, scale), sampled(second, there, scale)
    share = np.float32(weight) * field_at(morph.face, np.asarray(origin / CELL, np.float32))[..., None]
    return np.asarray(np.rint(one + share * (two.astype(np.float32) - one)), np.uint8), origin


def sampled(picture: Picture, place: Floats, scale: float) -> Picture:
    """Frame of the pixels at [h,w,2] `place` of a still, of which `picture` is `scale` times the size."""
    # A pixel's centre is a whole number: that of the first one of a smaller picture lies between two of the larger.
    where = np.asarray((place + 0.5) * scale - 0.5, np.float32)
    return picture_at(picture, where)
