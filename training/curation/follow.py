"""Follows all faces of a video: the mesh on every frame, the detector now and then."""

from __future__ import annotations

from dataclasses import dataclass

from stream.face import decision
from stream.face.roi import box_of, roi_from_landmarks
from stream.frames.planes import Planes
from stream.frames.scene import Scene
from training.curation.face import Points
from training.curation.find import FaceFinder

DETECT_EVERY = 10
"""Frames from one look for new faces to the next."""

MOST_FACES = 4
"""Faces followed at a time, the largest ones."""

SMALLEST_FRAME = 16


@dataclass(slots=True)
class Followed:
    """One face in one frame."""

    track: int
    """Number of the track, from 0 in the order of their beginning."""
    points: Points


class Follower:
    """Follows the faces of one video; frames in order."""

    def __init__(self, finder: FaceFinder) -> None:
        self._finder = finder
        self._live: list[Followed] = []
        self._next = 0
        self._until_detect = 0
        self._scene, self._shape = Scene(), (0, 0)

    def update(self, planes: Planes, full_range: bool) -> list[Followed]:
        """The faces of the next frame, oldest track first; a track that is missing has ended for good.

        All tracks end at a cut: what comes after it is another scene, even with the same person.
        """
        if min(planes.height, planes.width) < SMALLEST_FRAME:
            self._live = []
            return []
        shape, self._shape = self._shape, (planes.height, planes.width)
        if self._scene.ends(planes.y) or shape != self._shape:
            self._live, self._until_detect = [], 0
        count = len(self._live)
        self._live = self._carried(planes, full_range)
        # A face that was lost may just have been missed: it is looked for at once.
        if self._until_detect <= 0 or len(self._live) < count:
            self._detect(planes, full_range)
        self._until_detect -= 1
        return list(self._live)

    def _carried(self, planes: Planes, full_range: bool) -> list[Followed]:
        carried: list[Followed] = []
        for face in self._live:
            points = self._finder.look(planes, full_range, roi_from_landmarks(face.points))
            # Two tracks that have slid onto one face are one: the older stays.
            if points is not None and not any(decision.is_same(box_of(points), box_of(c.points)) for c in carried):
                carried.append(Followed(face.track, points))
        return carried

    def _detect(self, planes: Planes, full_range: bool) -> None:
        room = MOST_FACES - len(self._live)
        known = [face.points for face in self._live]
        for points in self._finder.find(planes, full_range, known, room) if room else ():
            self._live.append(Followed(self._next, points))
            self._next += 1
        self._until_detect = DETECT_EVERY
