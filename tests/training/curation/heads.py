"""Drawn heads with the landmarks that the mesh would find on them, and a finder that knows where they are."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.face import regions
from stream.face.roi import Roi
from stream.frames.planes import Planes
from tests.stream.face.shapes import drawn_face
from training.curation.face import Points
from training.curation.likeness import LENGTH, Likeness
from training.faces import Picture

USUAL = Likeness(np.zeros(LENGTH, np.float32), np.full(LENGTH, 100, np.float32), copy=0.9, person=0.5)
"""A likeness without an average face."""

# Outline, the angle that its first point stands at (0 is right, 90 down), centre and radii in face widths.
_PARTS = (
    (regions.FACE_OVAL, -90, (0.0, 0.0), (0.5, 0.65)),
    (regions.NOSE, -90, (0.0, 0.05), (0.09, 0.19)),
    (regions.RIGHT_EYE, 180, (-0.2, -0.12), (0.09, 0.04)),
    (regions.LEFT_EYE, 0, (0.2, -0.12), (0.09, 0.04)),
)
_NOSE_TIP, _BRIDGE = (1, (0.0, 0.1)), (6, (0.0, -0.08))


def landmarks(x: float = 0, y: float = 0, width: float = 1) -> Points:
    """[468, 2] of a frontal face of this width about a centre."""
    points = drawn_face(0, 0, 1)
    for outline, start, centre, radii in _PARTS:
        turn = np.radians(start) + np.linspace(0, 2 * np.pi, len(outline), endpoint=False)
        points[list(outline)] = np.stack([np.cos(turn), np.sin(turn)], axis=1) * radii + centre
    for index, place in (_NOSE_TIP, _BRIDGE):
        points[index] = place
    return np.asarray(points * width + (x, y), np.float32)


def texture(seed: int, edge: int, grain: float = 1.0) -> NDArray[np.float32]:
    """Detail of all sizes from `grain` pixels up, of mean 0 and deviation 1; no size is one of a coder's blocks."""
    rng = np.random.default_rng(seed)
    total = np.zeros((edge, edge), np.float32)
    for octave in range(5):
        cells = max(4, round(edge / grain / 1.87**octave))
        noise = rng.standard_normal((cells, cells)).astype(np.float32)
        total += cv2.resize(noise, (edge, edge), interpolation=cv2.INTER_CUBIC) * 2**octave
    return np.asarray((total - total.mean()) / total.std(), np.float32)


def head(seed: int, edge: int = 320, width: float = 160) -> tuple[Picture, Points]:
    """A picture [edge, edge, 3] with a face of this width in the middle: the same seed is the same person."""
    luma = 130 + 28 * texture(seed, edge)
    points = landmarks(edge / 2, edge / 2, width)
    for eye in (33, 263):
        x, y = points[eye] * 0.7 + points[168] * 0.3
        cv2.circle(luma, (round(float(x)), round(float(y))), max(2, round(width * 0.03)), 245, -1)
    return np.repeat(np.clip(luma, 0, 255).astype(np.uint8)[..., None], 3, axis=2), points


class KnownFinder:
    """Finds a face of a known place in every picture; one without light, or of another size, has none."""

    def __init__(self, points: Points, edge: int = 320) -> None:
        self.points, self.edge = points, edge
        self.looked = 0

    def in_photo(self, picture: Picture, most: int) -> list[Points]:
        self.looked += 1
        return [self.points] if picture.shape[0] == self.edge and picture.max() > 20 else []

    def find(self, planes: Planes, full_range: bool, known: list[Points], most: int) -> list[Points]:
        return [] if known or planes.y.max() < 40 else [self.points]

    def look(self, planes: Planes, full_range: bool, roi: Roi) -> Points | None:
        self.looked += 1
        return None if planes.y.max() < 40 else self.points
