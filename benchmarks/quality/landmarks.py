"""The face's landmarks in a clip, unsmoothed, and how they move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.face.detector import Detector
from stream.face.mesh import PRESENCE, Mesh
from stream.face.models import FaceModels
from stream.face.roi import roi_from_landmarks
from stream.frames.planes import Planes
from training.degrade import Planar
from training.planar import Floats


class Landmarks:
    """The face tracker's models, run on every frame."""

    def __init__(self, models: FaceModels) -> None:
        self._detector = Detector(models.detector)
        self._mesh = Mesh(models.mesh)

    def follow(self, clip: Planar) -> Floats | None:
        """Landmarks [T,468,2] in px of the first frame's largest face; None where it is not to be seen throughout."""
        found: list[Floats] = []
        for planes in _planes(clip):
            if not found:
                faces = self._detector(planes)
                if not faces:
                    return None
                first, _ = self._mesh(planes, max(faces, key=lambda f: f.size).roi())
            points, presence = self._mesh(planes, roi_from_landmarks(found[-1] if found else first))
            if presence < PRESENCE:
                return None
            found.append(points)
        return np.stack(found)

    def look(self, clip: Planar, squares_of: Floats) -> Floats:
        """Landmarks [T,468,2] seen in the squares around those given: differences come from the picture alone."""
        return np.stack(
            [
                self._mesh(planes, roi_from_landmarks(points))[0]
                for planes, points in zip(_planes(clip), squares_of, strict=True)
            ]
        )


def _planes(clip: Planar) -> list[Planes]:
    return [Planes(y[0], uv[0], uv[1]) for y, uv in zip(*clip, strict=True)]


def tlme(out: Floats, clean: Floats) -> float:
    """Landmark motion error, px a frame: mean distance between the landmarks' steps from frame to frame in both clips.

    Called TLME in papers on video face restoration, which use other landmarks: figures compare only among themselves.
    """
    return float(np.linalg.norm(np.diff(out, axis=0) - np.diff(clean, axis=0), axis=-1).mean())


def jitter(landmarks: NDArray[np.float32]) -> float | None:
    """Mean length of the landmarks' second difference, px per frame squared; None for fewer than three frames.

    The acceleration of Kanazawa et al., 2019, of this clip alone: a person who moves has some, too, so the clean clip's
    own is the best there is.
    """
    if len(landmarks) < 3:
        return None
    return float(np.linalg.norm(np.diff(landmarks, n=2, axis=0), axis=-1).mean())
