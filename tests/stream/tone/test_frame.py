"""One stream's tone: when it is on, that room and face agree, and how it goes from frame to frame."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stream.prompt import Weights
from stream.tone.apply import toned_planes
from stream.tone.curve import Tone
from stream.tone.estimate import Change, generators_change
from stream.tone.frame import HAZE, LEFT, LIGHT, FrameTone
from tests.stream.tone.scene import EDGE, crop, grey_room, room, through

PROMPTS = ("noise", LIGHT, HAZE)
DARK, HAZY, NOISE, NOTHING = (np.array(w, np.float32) for w in ((0, 1, 0), (0, 0, 1), (1, 0, 0), (0, 0, 0)))


def seen(prompt: Weights, change: Change, frames: int = 1) -> FrameTone:
    tone = FrameTone(PROMPTS)
    for _ in range(frames):
        tone.look(through(room(high=200), 0.5), False)
        tone.learn(change, prompt, 1.0)
    return tone


def test_only_light_and_haze_ask_for_it() -> None:
    change = Change(0.7, 0.0, 0.5)
    assert seen(DARK, change).on
    for prompt in (NOISE, NOTHING):
        tone = FrameTone(PROMPTS)
        assert tone.idle(prompt) and not tone.on
        assert not seen(prompt, change).on
    planes = room()
    assert FrameTone(PROMPTS).planes(planes, False) is planes


def test_a_generator_that_leaves_the_light_alone_leaves_the_room_alone() -> None:
    assert not seen(DARK, Change(0.004, 0.2, 0.01)).on
    assert not FrameTone(("blur",)).on


def test_room_and_face_come_out_in_one_light() -> None:
    # Guards against the face that looks pasted in.
    light = room(high=190)
    dark = through(light, 0.5)
    before, after = crop(dark), crop(light)
    change = generators_change((before.y[0, 0], before.uv[0]), (after.y[0, 0], after.uv[0]))
    tone = FrameTone(PROMPTS)
    tone.look(dark, False)
    tone.learn(change, DARK, 1.0)
    assert tone.now is not None
    whole = toned_planes(dark, tone.now, False)
    detail = tone.detail(before, after.y[0, 0], after.uv[0], change)
    assert np.abs(whole.y.astype(int) - light.y).max() <= 4
    face = whole.y[48 : 48 + EDGE, 64 : 64 + EDGE] + detail[0]
    assert np.abs(face - after.y[0, 0]).mean() < 1
    assert max(abs(float(plane.mean())) for plane in detail) < 1


def test_what_the_generator_adds_stays_in_the_face() -> None:
    dark = through(room(high=190), 0.5)
    before = crop(dark)
    after = through(dark, 2.0)
    made = crop(after).y[0, 0].astype(int)
    made[20:24, 20:24] += 12
    change = generators_change((before.y[0, 0], before.uv[0]), (crop(after).y[0, 0], crop(after).uv[0]))
    tone = FrameTone(PROMPTS)
    tone.look(dark, False)
    tone.learn(change, DARK, 1.0)
    detail = tone.detail(before, made.astype(np.uint8), crop(after).uv[0], change)[0]
    assert detail[20:24, 20:24].mean() == pytest.approx(12, abs=1.5) and abs(detail[40:, 40:]).max() <= 2


def test_a_veil_is_taken_off_as_far_as_strength_and_prompt_say() -> None:
    hazy = through(grey_room(), 0.6, 70.0)

    def contrast(weight: float, strength: float) -> float:
        tone = FrameTone(PROMPTS)
        tone.look(hazy, False)
        tone.learn(Change(), np.array([0, 0, weight], np.float32), strength)
        assert tone.now is not None
        return tone.now.contrast

    whole = contrast(1.0, 1.0)
    assert 0.3 * LEFT < whole < 0.7 * LEFT and contrast(0.25, 1.0) == whole
    assert contrast(1.0, 0.5) == pytest.approx(whole / 2) and contrast(1.0, 0.0) == 0
    assert contrast(0.05, 1.0) == pytest.approx(whole / 5, rel=1e-5)


def test_it_fades_when_nobody_asks_any_more_and_ends() -> None:
    tone = seen(DARK, Change(0.7, 0.0, 0.7))
    gains: list[float] = []
    while tone.on and len(gains) < 200:
        assert not tone.idle(NOISE)
        tone.look(through(room(high=200), 0.5), False)
        tone.learn(Change(0.0, 0.0, 0.0), NOISE, 1.0)
        assert tone.now is not None
        gains.append(tone.now.gain)
    assert 20 < len(gains) < 200 and -min(np.diff(gains)) <= 0.0301
    assert tone.idle(NOISE)


def test_asked_for_in_the_middle_of_a_call_it_fades_in() -> None:
    tone = FrameTone(PROMPTS)
    assert tone.idle(NOISE) and not tone.idle(DARK)
    tone.look(through(room(high=200), 0.5), False)
    tone.learn(Change(0.7, 0.0, 0.7), DARK, 1.0)
    assert tone.now is not None and 0 < tone.now.gain <= 0.03


def test_another_scene_starts_anew() -> None:
    # Guards against the last room's light in this one.
    tone = seen(DARK, Change(0.7, 0.0, 0.7), 3)
    tone.look(through(room(high=200), 0.5), False)
    assert tone.on
    tone.look(room(seed=40), False)
    assert tone.now is None and not tone.on
    tone.learn(Change(0.2, 0.0, 0.2), DARK, 1.0)
    assert tone.now is not None and tone.now.gain == 0.2


def test_a_lamp_that_comes_on_does_not_burn_the_picture() -> None:
    # Guards against white where the gain of the dark meets the light of the lamp.
    tone = seen(DARK, Change(0.7, 0.0, 0.7), 5)
    light = room(high=210)
    for frame in range(40):
        tone.look(light, False)
        tone.learn(Change(0.0, 0.0, 0.0), DARK, 1.0)
        assert tone.now is not None
        # The curve follows within some frames: all at once would be a jump of its own.
        assert frame < 4 or (toned_planes(light, tone.now, False).y >= 250).mean() < 0.02
    assert math.exp(tone.now.gain if tone.now else 9) < 1.1
    assert Tone().off
