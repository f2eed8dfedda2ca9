"""Finds all faces of single pictures, with the face tracker's own models."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.face.decision import is_same
from stream.face.detector import Detector
from stream.face.mesh import PRESENCE, Mesh
from stream.face.models import FaceModels
from stream.face.roi import Roi, box_of, roi_from_landmarks
from stream.frames.planes import Planes
from training.curation.face import Points
from training.degrade import to_planes
from training.faces import Picture

SMALLEST_FACE = 24.0
"""Pixels; smaller ones are neither measured nor reported."""


class FaceFinder:
    """Detector and mesh; one per thread."""

    def __init__(self, models: FaceModels) -> None:
        """Load the models; FaceModelError where a file cannot be run."""
        self._detector = Detector(models.detector)
        self._mesh = Mesh(models.mesh)

    def in_photo(self, picture: Picture, most: int) -> list[Points]:
        """Landmarks [468, 2] of at most `most` faces of a picture of even size, largest first."""
        y, uv = to_planes([picture])
        return self.find(Planes(y[0, 0], uv[0, 0], uv[0, 1]), False, [], most)

    def find(self, planes: Planes, full_range: bool, known: list[Points], most: int) -> list[Points]:
        """Landmarks of at most `most` faces that are not among the known ones, largest first."""
        found: list[Points] = []
        for face in self._detector(planes, full_range)[: 2 * most]:
            points = self.look(planes, full_range, face.roi())
            # The second look, squared up by the first one's landmarks, is the tracker's steady state.
            points = None if points is None else self.look(planes, full_range, roi_from_landmarks(points))
            if points is not None and not _among(points, known + found):
                found.append(points)
            if len(found) >= most:
                break
        return found

    def look(self, planes: Planes, full_range: bool, roi: Roi) -> NDArray[np.float32] | None:
        """Landmarks [468, 2] in a square of the frame; None where it shows no face."""
        inside = 0 <= roi.x < planes.width and 0 <= roi.y < planes.height
        if roi.size < SMALLEST_FACE or not inside:
            return None
        points, presence = self._mesh(planes, roi, full_range)
        return points if presence >= PRESENCE else None


def _among(points: Points, others: list[Points]) -> bool:
    return any(is_same(box_of(points), box_of(other)) for other in others)
