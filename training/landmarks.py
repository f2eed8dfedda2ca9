"""Face landmarks of the training stills, found once and kept beside the checkpoints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stream.face.detector import Detector
from stream.face.mesh import PRESENCE, Mesh
from stream.face.models import FaceModels, model_paths
from stream.face.roi import roi_from_landmarks
from stream.frames.planes import Planes
from training.degrade import to_planes
from training.faces import FaceFile, Picture, load_still


class StillLandmarks:
    """The face tracker's own models, applied to single pictures."""

    def __init__(self, models: FaceModels) -> None:
        self._detector = Detector(models.detector)
        self._mesh = Mesh(models.mesh)

    def __call__(self, picture: Picture) -> NDArray[np.float32] | None:
        """Landmarks [468, 2] of the largest face of a picture of even size, in pixels; None without a face."""
        y, uv = to_planes([picture])
        planes = Planes(y[0, 0], uv[0, 0], uv[0, 1])
        faces = self._detector(planes)
        if not faces:
            return None
        landmarks, _ = self._mesh(planes, max(faces, key=lambda f: f.size).roi())
        # The second look, squared up by the first one's landmarks, is the tracker's steady state.
        landmarks, presence = self._mesh(planes, roi_from_landmarks(landmarks))
        return landmarks if presence >= PRESENCE else None


def find_landmarks(files: list[FaceFile], cache: Path) -> dict[str, NDArray[np.float32]]:
    """Landmarks of the stills among `files` by file name; what `cache` (.npz) holds already is not looked for again."""
    known: dict[str, NDArray[np.float32]] = {}
    if cache.exists():
        with np.load(cache) as stored:
            known = {name: stored[name] for name in stored.files}
    missing = [f for f in files if not f.clip and f.path.name not in known]
    if missing:
        find = StillLandmarks(model_paths())
        for file in missing:
            picture = load_still(file.path)
            points = find(picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2])
            known[file.path.name] = np.zeros((0, 2), np.float32) if points is None else points
        np.savez_compressed(cache, **known)
    names = {f.path.name for f in files}
    return {name: points for name, points in known.items() if name in names and len(points)}
