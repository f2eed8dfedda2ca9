"""Where eyes, mouth and skin lie in a cut face."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.face import regions
from training.curation.face import Points

Mask = NDArray[np.bool_]

LASHES = 0.05
"""Room round eyes and lips, in face widths: lashes and the lips' edge are what shows whether they are sharp."""

HAIR = 0.06
"""Room inside the face's outline and round all features that is not taken for bare skin, in face widths."""

_LEFT_EDGE, _RIGHT_EDGE = 234, 454


@dataclass(frozen=True, slots=True)
class Areas:
    """Masks [N, N] of a cut face; one that lies outside the picture is empty."""

    eyes: Mask
    mouth: Mask
    skin: Mask
    """Cheeks, forehead and chin without eyes, brows, nose, lips and the face's rim."""


def find_areas(points: Points, edge: int) -> Areas:
    """The areas of a face with landmarks [468, 2] in a cut of edge x edge pixels."""
    width = float(np.linalg.norm(points[_LEFT_EDGE] - points[_RIGHT_EDGE]))
    eyes = _painted(points, edge, regions.LEFT_EYE) | _painted(points, edge, regions.RIGHT_EYE)
    brows = _painted(points, edge, regions.LEFT_BROW) | _painted(points, edge, regions.RIGHT_BROW)
    mouth = _painted(points, edge, regions.LIPS_OUTER)
    nose = _painted(points, edge, regions.NOSE)
    face = _painted(points, edge, regions.FACE_OVAL)
    room = max(1, round(HAIR * width))
    features = _grown(eyes | brows | mouth | nose, room)
    rim = _grown(~face, room)
    lashes = max(1, round(LASHES * width))
    return Areas(_grown(eyes, lashes), _grown(mouth, lashes), face & ~features & ~rim)


def _painted(points: Points, edge: int, outline: tuple[int, ...]) -> Mask:
    image = np.zeros((edge, edge), np.uint8)
    # A landmark far outside must not overflow.
    corners = np.rint(np.clip(points[list(outline)], -edge, 2 * edge)).astype(np.int32)
    cv2.fillPoly(image, [corners], (1,))
    return image.astype(bool)


def _grown(mask: Mask, pixels: int) -> Mask:
    kernel = np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel), np.uint8).astype(bool)
