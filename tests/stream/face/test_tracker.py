"""The tracker as a whole: on the real recording against MediaPipe's own landmarks, and in odd situations."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.face_tracking import frames, measure
from stream.face.models import FaceModels
from stream.face.tracker import FaceTracker
from stream.frames.planes import Planes
from stream.frames.scene import Scene
from tests.media import CALL_LANDMARKS, CALL_VIDEO, needs_shared
from tests.stream.face.shapes import grey, texture


def reference() -> NDArray[np.float32]:
    landmarks: NDArray[np.float32] = np.load(CALL_LANDMARKS)["landmarks"].astype(np.float32)
    return landmarks


@pytest.fixture(scope="module")
def recording() -> list[Planes]:
    """The first frames of the call."""
    kept = []
    for planes, _ in frames(CALL_VIDEO):
        kept.append(Planes(planes.y.copy(), planes.u.copy(), planes.v.copy()))
        if len(kept) == 12:
            break
    return kept


def distance(landmarks: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    return float(np.median(np.linalg.norm(landmarks - expected, axis=1)))


@needs_shared
@pytest.mark.parametrize("every", [1, 3])
def test_agrees_with_mediapipe(face_models: FaceModels, every: int) -> None:
    result = measure(face_models, CALL_VIDEO, reference(), every)
    assert result.lost == 0 and result.detections == 1
    assert np.median(result.distances) <= 1
    assert np.percentile(result.distances, 95) <= 2.5


@needs_shared
def test_follows_a_dark_noisy_call(face_models: FaceModels, recording: list[Planes]) -> None:
    # Guards against losing the face just where it most needs restoring.
    rng = np.random.default_rng(0)
    tracker = FaceTracker(face_models)
    for index, planes in enumerate(recording):
        dark = [
            np.clip((plane - np.float32(low)) * 0.1 + low + rng.normal(0, 3, plane.shape), 0, 255).astype(np.uint8)
            for plane, low in ((planes.y, 16), (planes.u, 128), (planes.v, 128))
        ]
        face = tracker.update(Planes(*dark), index / 30)
        assert face is not None and face.track_id == 1
        assert distance(face.landmarks, reference()[index]) < 12


@needs_shared
def test_a_cut_starts_a_new_track(face_models: FaceModels, recording: list[Planes]) -> None:
    # Guards against one person's cached latents being laid over another's face.
    tracker = FaceTracker(face_models)
    mirrored = [Planes(p.y[:, ::-1], p.u[:, ::-1], p.v[:, ::-1]) for p in recording]
    scene, shown = Scene(), recording[:3] + mirrored[3:6]
    seen = [tracker.update(planes, index / 30, cut=scene.ends(planes.y)) for index, planes in enumerate(shown)]
    assert [face and face.track_id for face in seen] == [1, 1, 1, 2, 2, 2]
    face = seen[-1]
    assert face is not None
    expected = reference()[5] * (-1, 1) + (1279, 0)
    # The mesh numbers left and right anew in a mirror image: the boxes are what can be compared.
    assert np.abs(np.array(face.box) - (*expected.min(0), *expected.max(0))).max() < 6


@needs_shared
def test_the_face_leaves_and_comes_back(face_models: FaceModels, recording: list[Planes]) -> None:
    tracker = FaceTracker(face_models)
    empty = grey(np.full((720, 1280), 80, np.uint8))
    seen = [
        tracker.update(planes, index / 30) for index, planes in enumerate([recording[0], empty, empty, recording[0]])
    ]
    assert [face and face.track_id for face in seen] == [1, None, None, 2]


@needs_shared
def test_reset_forgets_the_face_but_not_the_count(face_models: FaceModels, recording: list[Planes]) -> None:
    tracker = FaceTracker(face_models)
    first = tracker.update(recording[0], 0.0)
    tracker.reset()
    second = tracker.update(recording[1], 1.0)
    assert first is not None and second is not None
    assert (first.track_id, second.track_id) == (1, 2)


@needs_shared
def test_another_resolution_in_the_middle_of_a_call(face_models: FaceModels, recording: list[Planes]) -> None:
    # A relay's peer lowers its resolution when the line gets thin.
    tracker = FaceTracker(face_models)
    for index, planes in enumerate(recording[:6]):
        half = Planes(*(np.asarray(cv2.pyrDown(plane), np.uint8) for plane in (planes.y, planes.u, planes.v)))
        face = tracker.update(planes if index < 3 else half, index / 30)
        assert face is not None
        scale = 1 if index < 3 else 0.5
        assert distance(face.landmarks, reference()[index] * scale) < 3


@needs_shared
@pytest.mark.parametrize("shift", [(0, 260), (-430, 0), (470, 0)])
def test_a_face_at_the_border(face_models: FaceModels, recording: list[Planes], shift: tuple[int, int]) -> None:
    tracker = FaceTracker(face_models)
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float64)
    for index, planes in enumerate(recording[:4]):
        moved = [
            np.asarray(cv2.warpAffine(plane, matrix * (1, 1, part), plane.shape[::-1]), np.uint8)
            for plane, part in ((planes.y, 1), (planes.u, 0.5), (planes.v, 0.5))
        ]
        face = tracker.update(Planes(*moved), index / 30)
        assert face is None or np.isfinite(face.landmarks).all()


@needs_shared
def test_the_caller_owns_what_it_gets(face_models: FaceModels, recording: list[Planes]) -> None:
    # Guards against landmarks that change under a caller who still pastes the last frame.
    tracker = FaceTracker(face_models)
    first = tracker.update(recording[0], 0.0)
    assert first is not None
    kept = first.landmarks.copy()
    tracker.update(recording[11], 1 / 30)
    np.testing.assert_array_equal(first.landmarks, kept)
    assert first.landmarks.dtype == np.float32 and first.landmarks.shape == (468, 2)


@pytest.mark.parametrize("shape", [(1, 1), (15, 200), (16, 16), (33, 47), (241, 321)])
def test_odd_frames_are_no_face_and_no_error(face_models: FaceModels, shape: tuple[int, int]) -> None:
    tracker = FaceTracker(face_models)
    for index in range(8):
        assert tracker.update(grey(texture(*shape, seed=index)), index / 30) is None
