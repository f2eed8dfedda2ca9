"""Tracks begin with a face and end with it, or at a cut; two never follow one face."""

from __future__ import annotations

import numpy as np

from stream.face.roi import Roi
from stream.frames.planes import Planes
from tests.stream.face.shapes import grey, texture
from tests.training.curation.heads import landmarks
from training.curation.face import Points
from training.curation.follow import DETECT_EVERY, Follower


class Scripted:
    """Faces at known places; the mesh sees those that are near where it looks."""

    def __init__(self, *places: tuple[float, float]) -> None:
        self.faces = [landmarks(x, y, 60) for x, y in places]
        self.detections = 0

    def find(self, planes: Planes, full_range: bool, known: list[Points], most: int) -> list[Points]:
        self.detections += 1
        new = [f for f in self.faces if not any(np.abs(f - k).max() < 30 for k in known)]
        return new[:most]

    def look(self, planes: Planes, full_range: bool, roi: Roi) -> Points | None:
        for face in self.faces:
            if np.hypot(*(face.mean(axis=0) - (roi.x, roi.y))) < 40:
                return face
        return None


def follower(script: Scripted) -> Follower:
    return Follower(script)  # type: ignore[arg-type]


FRAME = grey(texture(240, 320))


def tracks(follower: Follower, frame: Planes = FRAME) -> list[int]:
    return [face.track for face in follower.update(frame, False)]


def test_two_faces_are_two_tracks() -> None:
    under_test = follower(Scripted((80, 100), (240, 100)))
    assert [tracks(under_test) for _ in range(15)] == [[0, 1]] * 15


def test_a_face_that_comes_later_is_found_in_time() -> None:
    script = Scripted((80, 100))
    under_test = follower(script)
    tracks(under_test)
    script.faces.append(landmarks(240, 100, 60))
    seen = [tracks(under_test) for _ in range(DETECT_EVERY)]
    assert seen[0] == [0] and seen[-1] == [0, 1]


def test_a_lost_face_ends_its_track_and_a_new_one_has_a_new_number() -> None:
    script = Scripted((80, 100))
    under_test = follower(script)
    tracks(under_test)
    script.faces = []
    assert tracks(under_test) == []
    script.faces = [landmarks(240, 100, 60)]
    assert [tracks(under_test) for _ in range(DETECT_EVERY + 1)][-1] == [1]


def test_a_cut_ends_all_tracks() -> None:
    under_test = follower(Scripted((80, 100)))
    assert tracks(under_test) == [0]
    assert tracks(under_test, grey(texture(240, 320, seed=5))) == [1]


def test_tracks_that_meet_become_one() -> None:
    script = Scripted((80, 100), (240, 100))
    under_test = follower(script)
    tracks(under_test)
    script.faces = [landmarks(80 + 30, 100, 60), landmarks(240 - 30, 100, 60)]
    tracks(under_test)
    script.faces = [landmarks(140, 100, 60)]
    script.look = lambda planes, full_range, roi: script.faces[0]  # type: ignore[method-assign]
    assert tracks(under_test) == [0]


def test_without_faces_the_detector_rests() -> None:
    script = Scripted()
    under_test = follower(script)
    for _ in range(4 * DETECT_EVERY):
        tracks(under_test)
    assert script.detections == 4


def test_a_tiny_frame_has_no_faces() -> None:
    assert tracks(follower(Scripted((4, 4))), grey(np.zeros((8, 8), np.uint8))) == []
