"""Clips from stills: landmarks and flow say where everything went."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.training.face_landmarks import canonical
from tests.training.faces import pattern
from training import animate as module
from training.animate import Clip, Face, animate, clip_flow
from training.lookup import picture_at, pixel_grid
from training.morph import find_morph

SOFT = np.asarray(cv2.GaussianBlur(pattern(3), (0, 0), 2), np.uint8)


def face(both: bool = False) -> Face:
    points = canonical()
    if not both:
        return Face(SOFT, points)
    other = points + np.random.default_rng(1).normal(0, 1, (1, 2)).astype(np.float32)
    return Face(SOFT, points, SOFT, find_morph(points, other, (256, 256)))


def clips(count: int, both: bool = False) -> list[Clip]:
    return [animate(np.random.default_rng(seed), face(both), 6, 128) for seed in range(count)]


@pytest.mark.parametrize("both", [False, True])
def test_the_earlier_frame_under_the_flow_is_the_later_one(both: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    # Guards against a motion that is told and another that is seen: losses that rely on it would teach to smear.
    monkeypatch.setattr(module, "LIGHT_SHARE", 0.0)
    monkeypatch.setattr(module, "LIVELY_SHARE", 1.0)
    moving = 0
    for clip in clips(12, both):
        flows, visible = clip_flow(clip, ())
        assert flows.shape == (5, 2, 128, 128) and visible.shape == (5, 1, 128, 128)
        assert visible.mean() > 0.85
        for index in range(5):
            place = pixel_grid(128) + flows[index].transpose(1, 2, 0)
            told = picture_at(clip.frames[index], np.asarray(place, np.float32))
            seen = visible[index, 0] > 0
            off = np.abs(told.astype(float) - clip.frames[index + 1])[seen].mean()
            stayed = np.abs(clip.frames[index].astype(float) - clip.frames[index + 1])[seen].mean()
            assert off < 1.5
            moving += stayed > 3 * off + 1
    assert moving > 5


def test_landmarks_follow_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIVELY_SHARE", 1.0)
    points = canonical()
    for number in (4, 152, 13):
        still = np.full((256, 256, 3), 60, np.uint8)
        cv2.circle(still, (round(float(points[number, 0])), round(float(points[number, 1]))), 5, (240,) * 3, -1)
        seen = 0
        for seed in range(16):
            clip = animate(np.random.default_rng(seed), Face(still, points), 4, 192)
            for frame, found in zip(clip.frames, clip.points, strict=True):
                x, y = found[number]
                if 14 < x < 178 and 14 < y < 178:
                    rows, columns = np.nonzero(frame[..., 1] > 150)
                    assert abs(columns.mean() - x) < 2.5 and abs(rows.mean() - y) < 4
                    seen += 1
        assert seen > 8


def test_without_landmarks_the_whole_picture_moves() -> None:
    clip = animate(np.random.default_rng(3), Face(SOFT), 4, 128)
    assert not clip.points and len(clip.frames) == len(clip.places) == 4
    assert all(inside is None for inside in clip.insides)


def test_a_frozen_picture_does_not_move_and_a_jump_is_whole() -> None:
    clip = next(c for c in clips(30) if np.abs(clip_flow(c, ())[0]).max() > 2)
    flows, visible = clip_flow(clip, (0, 0, 2, 2, 5, 5))
    assert not flows[[0, 2, 4]].any() and visible[[0, 2, 4]].all()
    place = pixel_grid(128) + flows[1].transpose(1, 2, 0)
    told = picture_at(clip.frames[0], np.asarray(place, np.float32))
    light = clip.frames[2].mean() / clip.frames[0].mean()
    assert np.abs(told.astype(float) * light - clip.frames[2])[visible[1, 0] > 0].mean() < 6


def test_of_real_clips_nothing_is_told() -> None:
    flows, visible = clip_flow(Clip([SOFT, SOFT, SOFT]), (0, 0, 2))
    assert not flows.any() and visible[0].all() and not visible[1].any()


def test_light_moves_in_some_clips() -> None:
    plain = np.full((256, 256, 3), 120, np.uint8)
    uneven = 0
    for seed in range(40):
        clip = animate(np.random.default_rng(seed), Face(plain), 6, 128)
        uneven += float(np.std(clip.frames[0])) > 0.5 or bool((clip.frames[0] != clip.frames[5]).any())
        assert all(80 < f.mean() < 160 for f in clip.frames)
    assert 3 < uneven < 20


def test_the_seed_decides() -> None:
    first, again = clips(3, both=True), clips(3, both=True)
    for one, two in zip(first, again, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one.frames, two.frames, strict=True))
