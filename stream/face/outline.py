"""Where face and hair end in a crop, and how a correction fades from there to the crop's border."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.face.crop import Crop
from stream.face.regions import FACE_OVAL
from stream.frames.paste import COARSE, Sides
from stream.frames.planes import Plane

HAIR_AROUND, HAIR_REACH = 1.3, 1.9
"""Times as large as the face's oval: the ring that hair is seen in for certain, and how far hair may go."""
CHROMA, LIKE = 3.0, 24.0
"""Weight of chroma beside luma, and the difference of colour from the ring's, in levels, up to which a cell is hair."""
EVERY, PACE = 4, 0.5
"""Frames from one look at the outline to the next, and share of the way that the mask then goes: cells that are hair
now and were not must not flicker."""

Cells = NDArray[np.float32]
"""[COARSE, COARSE]"""


class Fading:
    """The mask of one stream; frames in order."""

    def __init__(self) -> None:
        self._mask: Cells | None = None
        self._crop: Crop | None = None
        self._turn = 0

    def forget(self) -> None:
        """Another face comes, or none."""
        self._mask = self._crop = None

    def __call__(
        self, crop: Crop, landmarks: NDArray[np.float32], luma: Plane, chroma: NDArray[np.uint8], sides: Sides
    ) -> Cells:
        """How much of a coarse correction each cell of the crop gets, 0..1.

        Args:
            crop: Where it was cut out.
            landmarks: [468, 2] of the face, px of the frame.
            luma: [G, G] of the crop.
            chroma: [2, G/2, G/2]
            sides: On which of them it has to be zero.
        """
        before = self._mask if crop == self._crop else None
        self._turn = 0 if before is None else (self._turn + 1) % EVERY
        if before is None or self._turn == 0:
            now = fade(outline(crop, landmarks, luma, chroma), sides)
            self._mask = now if before is None else before + np.float32(PACE) * (now - before)
        self._crop = crop
        assert self._mask is not None
        return self._mask


def outline(crop: Crop, landmarks: NDArray[np.float32], luma: Plane, chroma: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """[COARSE, COARSE] cells of face and hair.

    Hair is what has the colour of the ring above and beside the face, hangs together with it, and is not far away. A
    dark wall may pass for dark hair: what the mask is for, a slow fade, is then a little quicker there.

    Args:
        crop: Where it was cut out.
        landmarks: [468, 2] of the face, px of the frame.
        luma: [G, G] of the crop.
        chroma: [2, G/2, G/2]
    """
    points = (landmarks[list(FACE_OVAL)] - (crop.x, crop.y)) * (COARSE / crop.size) - 0.5
    middle = points.mean(axis=0)
    face, ring, reach = (_filled(middle + size * (points - middle)) for size in (1.0, HAIR_AROUND, HAIR_REACH))
    ring &= ~face
    ring[max(0, round(float(middle[1]))) :] = False
    if ring.any():
        off = []
        for plane, weight in zip((luma, *chroma), (1.0, CHROMA, CHROMA), strict=True):
            colour = cv2.resize(plane, (COARSE, COARSE), interpolation=cv2.INTER_AREA).astype(np.float32)
            off.append(weight * (colour - np.median(colour[ring])) ** 2)
        hair = (sum(off) < LIKE**2) & reach
        count, parts = cv2.connectedComponents((hair | face).astype(np.uint8))
        face = np.isin(parts, np.unique(parts[face])) & (parts > 0) if count > 1 else face
    return face


def fade(inside: NDArray[np.bool_], sides: Sides) -> Cells:
    """1 inside, 0 on those sides, and between them a smooth way that takes all the room there is."""
    cells = len(inside)
    outside = np.ones(inside.shape, np.uint8)
    outside[inside] = 0
    away = cv2.distanceTransform(outside, cv2.DIST_L2, 3) if inside.any() else np.full(inside.shape, cells, np.float32)
    ramp = np.arange(cells, dtype=np.float32)
    far = np.full(cells, 4.0 * cells, np.float32)
    across = np.minimum(ramp if sides[0] else far, ramp[::-1] if sides[2] else far)
    down = np.minimum(ramp if sides[1] else far, ramp[::-1] if sides[3] else far)
    border = np.minimum(down[:, None], across[None, :])
    share = border / np.maximum(border + away, 1e-6)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _filled(points: NDArray[np.float32]) -> NDArray[np.bool_]:
    canvas = np.zeros((COARSE, COARSE), np.uint8)
    fixed = np.rint(np.clip(points, -4 * COARSE, 5 * COARSE) * 16).astype(np.int32)
    cv2.fillPoly(canvas, [fixed], 1, shift=4)
    return canvas.astype(bool)
