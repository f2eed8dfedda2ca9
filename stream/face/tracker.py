"""Follows the largest face of a stream: detect once, then mesh and flow, detect again when the face is lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.face import decision
from stream.face.decision import State, Step
from stream.face.detector import Detector
from stream.face.flow import Flow
from stream.face.mesh import PRESENCE, Mesh
from stream.face.models import FaceModels
from stream.face.roi import Box, Roi, box_of, roi_from_landmarks
from stream.face.smoothing import OneEuro, Smoothed, smooth
from stream.frames.planes import Planes

SMALLEST_FRAME = 16
SMALLEST_FACE = 12.0
"""Pixels; below this there is nothing for the mesh to see."""

MOST_FACES = 3
"""Detections the mesh looks at in one frame: a wall of portraits must not cost the call its time."""


@dataclass(slots=True)
class Face:
    """A face in one frame."""

    landmarks: NDArray[np.float32]
    """[468, 2] in frame pixels, smoothed; points may lie outside the frame."""
    track_id: int
    """Rises by one when a newly detected face starts being tracked: what was remembered of the last one is void."""

    @property
    def box(self) -> Box:
        """Left, top, right, bottom of the landmarks, px."""
        return box_of(self.landmarks)


@dataclass(slots=True)
class _Track:
    """The face being followed, unsmoothed."""

    landmarks: NDArray[np.float32]
    flow: Flow | None


class FaceTracker:
    """Tracks the face of one stream; frames in order, one thread at a time."""

    def __init__(self, models: FaceModels, every: int = 3, smoothing: OneEuro | None = None) -> None:
        """Load the models.

        Args:
            models: Where their files are.
            every: Frames from one run of the mesh to the next; the flow fills in between. 1 runs it on each frame.
            smoothing: Settings of the one-euro filter.

        Raises:
            FaceModelError: A file cannot be run.
        """
        self._detector = Detector(models.detector)
        self._mesh = Mesh(models.mesh)
        self.every = max(1, every)
        """May be changed between frames."""
        self._settings = smoothing or OneEuro()
        self._track_id = 0
        self.reset()

    def reset(self) -> None:
        """Forget the face; the next one found gets a new track_id."""
        self._state = State()
        self._track: _Track | None = None
        self._smoothed: Smoothed | None = None
        self._size: tuple[int, int] | None = None

    def update(self, planes: Planes, timestamp: float, full_range: bool = False, cut: bool = False) -> Face | None:
        """The face in the next frame, or None.

        Args:
            planes: The frame; only read during the call.
            timestamp: Seconds, rising from frame to frame.
            full_range: Whether the planes use 0..255 instead of 16..235.
            cut: Whether the frame shows another scene than the one before.
        """
        if min(planes.height, planes.width) < SMALLEST_FRAME:
            self.reset()
            return None
        size, self._size = self._size, (planes.width, planes.height)
        # In another size the face lies elsewhere, and its flow has nothing to go by.
        cut = cut or size not in (None, self._size)
        step = decision.next_step(self._state, cut, self.every)
        if step is Step.NOTHING:
            self._state = decision.rested(self._state)
        elif step is Step.DETECT:
            self._detect(planes, full_range, known=None)
        elif step is Step.MESH or not self._follow(planes):
            self._look(planes, full_range)
        return self._face(timestamp)

    def _follow(self, planes: Planes) -> bool:
        """Carry the landmarks on by the flow; False where it cannot say."""
        landmarks = self._track.flow(planes) if self._track and self._track.flow else None
        if self._track is None or landmarks is None:
            return False
        self._track.landmarks = landmarks
        self._state = decision.followed(self._state)
        return True

    def _look(self, planes: Planes, full_range: bool) -> None:
        """Run the mesh where the face was; where it is gone, look for it in the whole frame at once."""
        known = self._track
        if known is None or not self._run_mesh(planes, roi_from_landmarks(known.landmarks), full_range):
            self._detect(planes, full_range, known)
        else:
            self._state = decision.seen()

    def _detect(self, planes: Planes, full_range: bool, known: _Track | None) -> None:
        """Look for a face in the whole frame; `known` is one that was there a frame ago."""
        self._track = None
        for face in self._detector(planes, full_range)[:MOST_FACES]:
            if self._run_mesh(planes, face.roi(), full_range):
                break
        if self._track is None:
            self._state = decision.missed(self._state)
            self._smoothed = None
            return
        self._state = decision.found(self.every)
        if known is None or not decision.is_same(box_of(known.landmarks), box_of(self._track.landmarks)):
            self._track_id += 1
            self._smoothed = None

    def _run_mesh(self, planes: Planes, roi: Roi, full_range: bool) -> bool:
        """Find the landmarks in a square; False, and nothing changed, where it shows no face."""
        if roi.size < SMALLEST_FACE or not (0 <= roi.x < planes.width and 0 <= roi.y < planes.height):
            return False
        landmarks, presence = self._mesh(planes, roi, full_range)
        if presence < PRESENCE:
            return False
        flow = Flow(planes, landmarks, roi) if self.every > 1 else None
        self._track = _Track(landmarks, flow)
        return True

    def _face(self, timestamp: float) -> Face | None:
        if self._track is None:
            return None
        left, top, right, bottom = box_of(self._track.landmarks)
        size = max(right - left, bottom - top)
        self._smoothed = smooth(self._smoothed, self._track.landmarks, size, timestamp, self._settings)
        return Face(self._smoothed.points.copy(), self._track_id)
