"""Moves the landmarks with the picture between two runs of the mesh: pyramidal Lucas-Kanade and a robust fit.

Bouguet, "Pyramidal Implementation of the Lucas Kanade Feature Tracker", 2000.

The whole face moves by one similarity (shift, turn, scale). Letting lips and lids move on their own as well, by what is
left of their points' flow, was tried: no closer to the mesh for the lips, and further off for the lids in a blink.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.face import regions
from stream.face.roi import Roi, warp
from stream.frames.planes import Plane, Planes

EDGE = 96
"""Edge of the luma image the flow is measured in; the face is two thirds of it."""

WINDOW = 15
LEVELS = 2
POINTS = np.array(
    regions.LEFT_EYE[::2]
    + regions.RIGHT_EYE[::2]
    + regions.LEFT_BROW[::2]
    + regions.RIGHT_BROW[::2]
    + regions.LIPS_OUTER[::2]
    + regions.LIPS_INNER[::2]
    + (1, 2, 4, 5, 6, 48, 64, 98, 168, 195, 278, 294, 327)
)
"""Landmarks on the face's own texture: the outline would follow the background instead."""

OUTLIER = 2.0
"""Pixels of the flow image; a point further than this from where the fit puts it moves on its own."""

TRUSTED = 0.6
"""Share of the points that must have been found and agree on one movement."""

LARGEST_SCALE = 1.2
"""No face grows or shrinks more in the few frames between two runs of the mesh."""

_ROUNDS = 3
_CRITERIA = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 10, 0.03)


@dataclass(slots=True, frozen=True)
class Similarity:
    """The map p → linear · p + shift."""

    linear: NDArray[np.float32]
    """[2, 2], a turn times a scale."""
    shift: NDArray[np.float32]
    """[2]."""

    def __call__(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Where the points [N, 2] go."""
        return points @ self.linear.T + self.shift

    @property
    def scale(self) -> float:
        """How much larger things get."""
        return float(np.hypot(self.linear[0, 0], self.linear[1, 0]))


def fit(before: NDArray[np.float32], after: NDArray[np.float32]) -> tuple[Similarity, float]:
    """The similarity that takes most of the points [N, 2] to where they were found, and the share that agree, 0..1.

    Least squares, again without the points that do not agree, a few times over.
    """
    agree = np.ones(len(before), bool)
    similarity = Similarity(np.eye(2, dtype=np.float32), np.zeros(2, np.float32))
    for _ in range(_ROUNDS):
        if np.count_nonzero(agree) < 3:
            return similarity, 0.0
        similarity = _least_squares(before[agree], after[agree])
        distance = np.linalg.norm(similarity(before) - after, axis=1)
        # While the fit is still pulled off by outliers, half of the points are kept whatever their distance.
        agree = distance <= max(OUTLIER, float(np.median(distance)))
    return similarity, float(np.mean(distance <= OUTLIER))


def _least_squares(before: NDArray[np.float32], after: NDArray[np.float32]) -> Similarity:
    centre, target = before.mean(axis=0), after.mean(axis=0)
    a, b = before - centre, after - target
    spread = max(float((a * a).sum()), 1e-6)
    along = float((a * b).sum()) / spread
    across = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / spread
    linear = np.array([[along, -across], [across, along]], np.float32)
    return Similarity(linear, target - linear @ centre)


class Flow:
    """Follows one face from an anchor, the frame of the last mesh run.

    Each frame is compared with the anchor itself and not with its predecessor, so that errors do not add up; the search
    starts where the last frame's ended.
    """

    __slots__ = ("_found", "_image", "_inside", "_landmarks", "_matrix", "_origin")

    def __init__(self, planes: Planes, landmarks: NDArray[np.float32], roi: Roi) -> None:
        """Start at a frame with its landmarks [468, 2] (frame px) and the square they were found in."""
        self._matrix = roi.matrix(EDGE)
        inverse = np.linalg.inv(self._matrix[:, :2])
        self._inside = ((landmarks - self._matrix[:, 2]) @ inverse.T).astype(np.float32)
        self._image = self._read(planes)
        self._origin = self._inside[POINTS]
        self._found = self._origin

    def __call__(self, planes: Planes) -> NDArray[np.float32] | None:
        """The landmarks [468, 2] in a later frame; None where too few points agree, and the mesh has to look."""
        found, status, _ = cv2.calcOpticalFlowPyrLK(
            self._image,
            self._read(planes),
            self._origin,
            self._found.copy(),
            winSize=(WINDOW, WINDOW),
            maxLevel=LEVELS,
            criteria=_CRITERIA,
            flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        )
        seen = status.ravel() > 0
        similarity, share = fit(self._origin[seen], found[seen].astype(np.float32, copy=False))
        likely = 1 / LARGEST_SCALE < similarity.scale < LARGEST_SCALE
        if not likely or share * np.count_nonzero(seen) < TRUSTED * len(POINTS):
            return None
        # Points that strayed start from where they should be the next time.
        self._found = similarity(self._origin)
        moved = similarity(self._inside)
        return (moved @ self._matrix[:, :2].T + self._matrix[:, 2]).astype(np.float32)

    def _read(self, planes: Planes) -> Plane:
        image = np.empty((EDGE, EDGE), np.uint8)
        warp(planes.y, self._matrix, image)
        return image
