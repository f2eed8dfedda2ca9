"""MediaPipe's short-range face detector: boxes and six keypoints of the faces in a whole frame.

Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.face.net import Net
from stream.face.roi import Box, Roi, RoiImage, square
from stream.frames.planes import Plane, Planes

EDGE = 128
THRESHOLD = 0.5
OVERLAP = 0.3
"""Boxes that share more than this (intersection over union) are votes for one face."""

_GRIDS = ((16, 2), (8, 6))
"""Cells along an edge and anchors in each: all anchors sit in their cell's centre and have the same size."""

_VALUES = 16
"""Of an anchor: centre, size and six keypoints, x before y, in pixels of the input relative to the anchor."""


@dataclass(slots=True)
class Detection:
    """One face, in frame pixels."""

    box: Box
    keypoints: NDArray[np.float32]
    """[6, 2]: right eye, left eye, nose, mouth, right ear, left ear (the person's own right and left)."""

    @property
    def size(self) -> float:
        """The longer edge of the box, px."""
        left, top, right, bottom = self.box
        return max(right - left, bottom - top)

    def roi(self) -> Roi:
        """Where the mesh has to look."""
        return square(self.box, self.keypoints[0], self.keypoints[1])


def anchors() -> NDArray[np.float32]:
    """Centres of the 896 anchors, [896, 2] in 0..1."""
    parts = []
    for cells, count in _GRIDS:
        rows, columns = np.mgrid[:cells, :cells]
        centres = (np.stack([columns, rows], axis=-1).reshape(-1, 2) + 0.5) / cells
        parts.append(np.repeat(centres, count, axis=0))
    return np.concatenate(parts).astype(np.float32)


def blend(points: NDArray[np.float32], scores: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Merge overlapping candidates into their score-weighted mean, so that the box does not jump between anchors.

    Args:
        points: [N, 8, 2]; the first two points are the box's corners.
        scores: [N].

    Returns:
        Points [8, 2] of each face, the most likely first.
    """
    faces = []
    order = np.argsort(-scores)
    points, scores = points[order], scores[order]
    while len(scores):
        near = _overlap(points[0, :2], points[:, :2]) > OVERLAP
        # The best belongs to its own face even where its box is empty and overlaps nothing.
        near[0] = True
        weights = scores[near] / scores[near].sum()
        faces.append(np.tensordot(weights, points[near], 1).astype(np.float32))
        points, scores = points[~near], scores[~near]
    return faces


def _overlap(box: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    shared = np.minimum(box[1], boxes[:, 1]) - np.maximum(box[0], boxes[:, 0])
    intersection = np.prod(np.maximum(shared, 0), axis=1)
    union = np.prod(box[1] - box[0]) + np.prod(boxes[:, 1] - boxes[:, 0], axis=1) - intersection
    ratio: NDArray[np.float32] = intersection / np.maximum(union, 1e-9)
    return ratio


class Detector:
    """The detector model; one per thread."""

    def __init__(self, path: Path) -> None:
        """Load the model.

        Raises:
            FaceModelError: The file cannot be run.
        """
        self._net = Net(path)
        self._anchors = anchors()
        self._image = RoiImage(EDGE)
        self._batch = np.empty((1, EDGE, EDGE, 3), np.float32)

    def __call__(self, planes: Planes, full_range: bool = False) -> list[Detection]:
        """The faces in the frame, largest first."""
        scale = max(planes.height, planes.width) / EDGE
        width, height = _even(planes.width / scale), _even(planes.height / scale)
        # Averaged down first: reading single pixels would hand the model a poor picture's noise at full strength.
        half = (width // 2, height // 2)
        small = Planes(_averaged(planes.y, (width, height)), _averaged(planes.u, half), _averaged(planes.v, half))
        left, top = (EDGE - width) // 4 * 2, (EDGE - height) // 4 * 2
        shift = np.array([[1, 0, -left], [0, 1, -top]], np.float64)
        inside = np.s_[top : top + height, left : left + width]
        # The model knows the room beside a wide or tall frame as black.
        self._batch.fill(-1)
        self._batch[0][inside] = self._image.read(small, shift, full_range)[inside] * np.float32(2 / 255) - 1
        self._net.run(self._batch)
        return self._decode(np.array([left, top]), np.array([planes.width / width, planes.height / height]))

    def _decode(self, shift: NDArray[np.int_], scale: NDArray[np.float64]) -> list[Detection]:
        logits = self._net.output(len(self._anchors)).reshape(-1)
        likely = logits > np.log(THRESHOLD / (1 - THRESHOLD))
        scores = 1 / (1 + np.exp(-np.minimum(logits[likely], 50)))
        values = self._net.output(len(self._anchors) * _VALUES).reshape(-1, _VALUES // 2, 2)[likely]
        # The box is given as a centre and a size: as two corners it blends and scales like the other points.
        centres = values + self._anchors[likely][:, None] * EDGE
        halves = values[:, 1] / 2
        points = np.concatenate([centres[:, :1], centres[:, :1], centres[:, 2:]], axis=1)
        points[:, 0] -= halves
        points[:, 1] += halves
        points = ((points - shift) * scale).astype(np.float32)
        faces = [
            Detection((float(p[0, 0]), float(p[0, 1]), float(p[1, 0]), float(p[1, 1])), p[2:])
            for p in blend(points, scores)
        ]
        return sorted(faces, key=lambda face: -face.size)


def _averaged(plane: Plane, size: tuple[int, int]) -> Plane:
    return cv2.resize(plane, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _even(value: float) -> int:
    return max(2, round(value / 2) * 2)
