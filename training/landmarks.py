"""Face landmarks of the training stills, found once and kept beside the checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from engines.whole_file import replacing
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
    """Landmarks of the stills among `files` by file name; what `cache` (.npz) holds already is not looked for again.

    Raises:
        BadInput: A still cannot be read.
    """
    stored = _read(cache)
    stills = {f"{f.path.name}:{f.path.stat().st_size}": f for f in files if not f.clip}
    known = {key: stored[key] for key in stills if key in stored}
    missing = stills.keys() - known.keys()
    if missing:
        find = StillLandmarks(model_paths())
        for key in sorted(missing):
            picture = load_still(stills[key].path)
            points = find(picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2])
            known[key] = np.zeros((0, 2), np.float32) if points is None else points
        _write(cache, known)
    return {file.path.name: known[key] for key, file in stills.items() if len(known[key])}


def _read(cache: Path) -> dict[str, NDArray[np.float32]]:
    try:
        with np.load(cache) as stored:
            return {key: stored[key] for key in stored.files}
    except (OSError, ValueError, EOFError, BadZipFile):
        return {}  # missing or damaged: all are looked for again


def _write(cache: Path, known: dict[str, Any]) -> None:
    with replacing(cache) as file:
        np.savez_compressed(file, **known)
