"""Where one scene ends and the next begins."""

from __future__ import annotations

import cv2
import numpy as np

from stream.frames.scene import Scene, is_cut, thumbnail
from tests.stream.face.shapes import texture


def test_another_scene_is_a_cut() -> None:
    assert is_cut(thumbnail(texture(720, 1280)), thumbnail(texture(720, 1280, seed=5)))


def test_light_noise_and_movement_are_no_cut() -> None:
    # Guards against a lamp, an exposure hunt or a noisy dark room making the tracker start over.
    rng = np.random.default_rng(0)
    scene = np.linspace(40, 180, 1280)[None] * np.linspace(0.4, 1, 720)[:, None]
    before = thumbnail(scene.astype(np.uint8))
    for after in (scene * 0.6, scene + 40, np.roll(scene, 60, axis=1), scene + rng.normal(0, 25, scene.shape)):
        assert not is_cut(before, thumbnail(np.clip(after, 0, 255).astype(np.uint8)))
    noise = [np.clip(rng.normal(17, 6, (720, 1280)), 0, 255).astype(np.uint8) for _ in range(2)]
    assert not is_cut(thumbnail(noise[0]), thumbnail(noise[1]))


def test_thumbnails_of_any_frame() -> None:
    for shape in ((16, 16), (17, 401), (1080, 1920), (91, 33)):
        assert thumbnail(np.full(shape, 99, np.uint8)).shape == (9, 16)


def test_the_first_frame_ends_nothing_and_a_cut_counts_once() -> None:
    scene, one, other = Scene(), texture(90, 160), texture(90, 160, seed=5)
    assert [scene.ends(luma) for luma in (one, one, other, other, one)] == [False, False, True, False, True]


def test_another_size_is_the_same_scene() -> None:
    """Guards against a room that goes dark while nobody is in sight, because the line made the picture smaller."""
    scene, rng = Scene(), np.random.default_rng(1)
    room = cv2.resize(rng.uniform(30, 200, (9, 16)).astype(np.float32), (1280, 720), interpolation=cv2.INTER_CUBIC)
    shown = [cv2.resize(room, size).clip(0, 255).astype(np.uint8) for size in ((1280, 720), (854, 480), (640, 360))]
    assert not any(scene.ends(luma) for luma in (*shown, shown[0]))
