"""One face cut out of its picture, as training would get it: what all measures look at."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.face.roi import Box, box_of
from training.faces import Picture

Points = NDArray[np.float32]
"""[468, 2], pixels"""

MARGIN = 1.7
"""Edge of the square in face sizes: head and shoulders, what the generator's crop shows."""

LARGEST = 512
"""Edge in pixels that a square is scaled down to; none is scaled up."""


@dataclass(frozen=True, slots=True)
class Square:
    """A square of a picture, pixels."""

    x: int
    y: int
    edge: int

    def scale(self) -> float:
        """Factor from the picture to the cut, at most 1."""
        return min(1.0, LARGEST / self.edge)


@dataclass(frozen=True, slots=True)
class Face:
    """A face, cut out."""

    cut: Picture
    """[N, N, 3], BGR, N at most `LARGEST`."""
    native: NDArray[np.uint8]
    """[M, M] luma of the same square in the picture's own pixels, where the coder's blocks are still whole."""
    points: Points
    """Landmarks in the cut."""
    size: float
    """Longer edge of the face's box in the picture, pixels."""


def square_round(box: Box, width: int, height: int) -> Square:
    """The square round a face (left, top, right, bottom), inside a picture of width x height pixels."""
    left, top, right, bottom = box
    edge = max(2, min(round(MARGIN * max(right - left, bottom - top)), width, height) // 2 * 2)
    x = round((left + right - edge) / 2)
    y = round((top + bottom - edge) / 2)
    return Square(min(max(x, 0), width - edge), min(max(y, 0), height - edge), edge)


def cut(picture: Picture, square: Square) -> Picture:
    """The square out of a picture [H, W, 3], scaled down where it is larger than `LARGEST`."""
    part = picture[square.y : square.y + square.edge, square.x : square.x + square.edge]
    if square.edge <= LARGEST:
        return np.ascontiguousarray(part)
    return np.asarray(cv2.resize(part, (LARGEST, LARGEST), interpolation=cv2.INTER_AREA), np.uint8)


def cut_face(picture: Picture, landmarks: Points) -> Face:
    """Cut a face with landmarks [468, 2] out of a picture [H, W, 3]."""
    box = box_of(landmarks)
    square = square_round(box, picture.shape[1], picture.shape[0])
    part = picture[square.y : square.y + square.edge, square.x : square.x + square.edge]
    # OpenCV's pixel centres are whole numbers, hence the halves.
    points = (landmarks - (square.x, square.y) + 0.5) * square.scale() - 0.5
    return Face(
        cut=cut(picture, square),
        native=np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), np.uint8),
        points=points.astype(np.float32),
        size=max(box[2] - box[0], box[3] - box[1]),
    )
