"""What a face looks like, as a vector: the same person from frame to frame, and before and after."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.onnx_image import OnnxImage
from training.faces import Picture
from training.planar import Floats

LEFT_EYE, RIGHT_EYE, NOSE, MOUTH_RIGHT, MOUTH_LEFT = (263, 362), (33, 133), (1,), (61,), (291,)
ALIGNED = np.array([[38.29, 51.70], [73.53, 51.50], [56.03, 71.74], [41.55, 92.37], [70.73, 92.20]], np.float32)
"""Where eyes, nose and corners of the mouth lie in a face of 112 px that embeddings are trained on (ArcFace, 2019)."""
ALIGNED_EDGE = 112
HOG_EDGE, HOG_CELLS, HOG_TURNS = 128, 16, 9


def hog(picture: Picture, landmarks: Floats | None) -> NDArray[np.float32]:
    """Histograms of oriented gradients, 16 x 16 cells of 9 (after Dalal, Triggs 2005): shapes, not identities."""
    grey = cv2.cvtColor(cv2.resize(picture, (HOG_EDGE, HOG_EDGE), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    down, across = np.gradient(grey.astype(np.float32))
    turn = np.mod(np.arctan2(down, across), np.pi) / np.pi
    rows, columns = np.indices(grey.shape) * HOG_CELLS // HOG_EDGE
    bins = (rows * HOG_CELLS + columns) * HOG_TURNS + np.minimum((turn * HOG_TURNS).astype(int), HOG_TURNS - 1)
    counted = np.bincount(bins.ravel(), np.hypot(down, across).ravel(), HOG_CELLS**2 * HOG_TURNS)
    return _unit(counted.astype(np.float32))


class FaceEmbedding:
    """A face embedding that the user supplies as ONNX; name and vector."""

    def __init__(self, path: Path) -> None:
        """Load it; BadInput when it cannot be run on pictures."""
        self.name = path.stem
        self._network = OnnxImage(path)

    def __call__(self, picture: Picture, landmarks: Floats | None) -> NDArray[np.float32] | None:
        """The aligned face's vector; None without landmarks."""
        if landmarks is None:
            return None
        places = (RIGHT_EYE, LEFT_EYE, NOSE, MOUTH_RIGHT, MOUTH_LEFT)
        points = np.array([landmarks[list(p)].mean(axis=0) for p in places], np.float32)
        matrix = cv2.estimateAffinePartial2D(points, ALIGNED, method=cv2.LMEDS)[0]
        if matrix is None:
            return None
        face = np.asarray(cv2.warpAffine(picture, matrix, (ALIGNED_EDGE, ALIGNED_EDGE)), np.uint8)
        return _unit(self._network.raw(face).ravel())


def consistency(vectors: list[NDArray[np.float32]]) -> float | None:
    """FC: ten times the mean cosine of neighbouring frames' vectors (as in TDM); None for a single frame."""
    pairs = [float(a @ b) for a, b in zip(vectors, vectors[1:], strict=False)]
    return 10 * float(np.mean(pairs)) if pairs else None


def likeness(ours: list[NDArray[np.float32]], theirs: list[NDArray[np.float32]]) -> float:
    """IDS: mean cosine, -1..1, of both clips' vectors, frame by frame (as in VividFace, 2025); 1 for the same face.

    Cosines of one embedding say nothing about those of another (ArcFace, 2019, is the usual one).
    """
    return float(np.mean([a @ b for a, b in zip(ours, theirs, strict=True)]))


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length if length > 0 else vector, np.float32)
