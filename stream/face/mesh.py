"""MediaPipe's face mesh: 468 landmarks from a rotated square of the frame.

Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs", 2019.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stream.face.net import Net
from stream.face.roi import Roi, RoiImage
from stream.frames.planes import Planes

EDGE = 192
LANDMARKS = 468
PRESENCE = 0.5
"""Below this the square holds no face, and the face has to be detected again."""


class Mesh:
    """The mesh model; one per thread."""

    def __init__(self, path: Path) -> None:
        """Load the model.

        Raises:
            FaceModelError: The file cannot be run.
        """
        self._net = Net(path)
        self._image = RoiImage(EDGE)
        self._batch = np.empty((1, EDGE, EDGE, 3), np.float32)

    def __call__(self, planes: Planes, roi: Roi, full_range: bool = False) -> tuple[NDArray[np.float32], float]:
        """Landmarks [468, 2] in frame pixels, and how sure the model is that there is a face, 0..1."""
        matrix = roi.matrix(EDGE)
        np.multiply(self._image.read(planes, matrix, full_range), np.float32(1 / 255), out=self._batch[0])
        self._net.run(self._batch)
        points = self._net.output(LANDMARKS * 3).reshape(LANDMARKS, 3)[:, :2]
        logit = float(self._net.output(1).reshape(()))
        landmarks = points @ matrix[:, :2].T.astype(np.float32) + matrix[:, 2].astype(np.float32)
        return landmarks, 1 / (1 + math.exp(-max(min(logit, 50.0), -50.0)))
