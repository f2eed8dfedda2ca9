"""One stream's tone: when it is on, that room and face agree, and how it goes from frame to frame."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stream.face.crop import Crop
from stream.frames.planes import Planes
from stream.prompt import HAZE, LIGHT, Weights
from stream.tone.apply import toned_planes
from stream.tone.curve import Tone
from stream.tone.estimate import LightChange, generators_change
from stream.tone.frame import LEFT, FrameTone
from stream.tone.places import MOST
from tests.stream.tone.scene import EDGE, crop, grey_room, room, through

PROMPTS = ("noise", LIGHT, HAZE)
DARK, HAZY, NOISE, NOTHING = (np.array(w, np.float32) for w in ((0, 1, 0), (0, 0, 1), (1, 0, 0), (0, 0, 0)))


def seen(prompt: Weights, change: LightChange, frames: int = 1) -> FrameTone:
    tone = FrameTone(PROMPTS)
    for _ in range(frames):
        tone.look(through(room(high=200), 0.5), False)
        tone.learn(change, prompt, 1.0)
    return tone


def test_only_light_and_haze_ask_for_it() -> None:
    change = LightChange(0.7, 0.0, 0.5)
    assert seen(DARK, change).on
    for prompt in (NOISE, NOTHING):
        tone = FrameTone(PROMPTS)
        assert tone.idle(prompt) and not tone.on
        assert not seen(prompt, change).on
    planes = room()
    assert FrameTone(PROMPTS).planes(planes, False) is planes


def test_a_generator_that_leaves_the_light_alone_leaves_the_room_alone() -> None:
    assert not seen(DARK, LightChange(0.004, 0.2, 0.01)).on
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
        tone.learn(LightChange(), np.array([0, 0, weight], np.float32), strength)
        assert tone.now is not None
        return tone.now.contrast

    whole = contrast(1.0, 1.0)
    assert 0.3 * LEFT < whole < 0.7 * LEFT and contrast(0.25, 1.0) == whole
    assert contrast(1.0, 0.5) == pytest.approx(whole / 2) and contrast(1.0, 0.0) == 0
    assert contrast(0.05, 1.0) == pytest.approx(whole / 5, rel=1e-5)


def test_it_fades_when_nobody_asks_any_more_and_ends() -> None:
    tone = seen(DARK, LightChange(0.7, 0.0, 0.7))
    gains: list[float] = []
    while tone.on and len(gains) < 200:
        assert not tone.idle(NOISE)
        tone.look(through(room(high=200), 0.5), False)
        tone.learn(LightChange(0.0, 0.0, 0.0), NOISE, 1.0)
        assert tone.now is not None
        gains.append(tone.now.gain)
    assert 20 < len(gains) < 200 and -min(np.diff(gains)) <= 0.0301
    assert tone.idle(NOISE)


def test_asked_for_in_the_middle_of_a_call_it_fades_in() -> None:
    tone = FrameTone(PROMPTS)
    assert tone.idle(NOISE) and not tone.idle(DARK)
    tone.look(through(room(high=200), 0.5), False)
    tone.learn(LightChange(0.7, 0.0, 0.7), DARK, 1.0)
    assert tone.now is not None and 0 < tone.now.gain <= 0.03


def test_another_scene_starts_anew() -> None:
    # Guards against the last room's light in this one.
    tone = seen(DARK, LightChange(0.7, 0.0, 0.7), 3)
    tone.look(through(room(high=200), 0.5), False)
    assert tone.on
    tone.forget()
    tone.look(room(seed=40), False)
    assert tone.now is None and not tone.on
    tone.learn(LightChange(0.2, 0.0, 0.2), DARK, 1.0)
    assert tone.now is not None and tone.now.gain == 0.2


def test_a_lamp_that_comes_on_does_not_burn_the_picture() -> None:
    # Guards against white where the gain of the dark meets the light of the lamp.
    tone = seen(DARK, LightChange(0.7, 0.0, 0.7), 5)
    light = room(high=210)
    for frame in range(40):
        tone.look(light, False)
        tone.learn(LightChange(0.0, 0.0, 0.0), DARK, 1.0)
        assert tone.now is not None
        # The curve follows within some frames: all at once would be a jump of its own.
        assert frame < 4 or (toned_planes(light, tone.now, False).y >= 250).mean() < 0.02
    assert math.exp(tone.now.gain if tone.now else 9) < 1.1
    assert Tone().within(1.0)


CROP = Crop(64, 48, EDGE, EDGE)


def hazy_step(tone: FrameTone, planes: Planes, level: float, prompt: Weights = HAZY) -> Planes:
    """A frame of which the generator changes the crop by so many levels beyond the curve, and takes no other light."""
    size = (planes.width, planes.height)
    if not tone.idle(prompt):
        tone.look(planes, False)
        tone.learn(LightChange(), prompt, 1.0)
        tone.spread([np.full((n, n), level, np.float32) for n in (EDGE, EDGE // 2, EDGE // 2)], CROP, size, prompt)
    return tone.planes(planes, False)


def test_haze_asked_for_in_a_call_does_not_jump_in() -> None:
    # Guards against a map that lies on the room at once.
    tone, planes = FrameTone(PROMPTS), room(low=60, high=160)
    means = [float(hazy_step(tone, planes, 20.0, NOISE if frame < 3 else HAZY).y.mean()) for frame in range(40)]
    assert means[0] == means[2] == planes.y.mean()
    assert np.abs(np.diff(means)).max() <= MOST and means[-1] > means[0] + 5
    first = float(hazy_step(FrameTone(PROMPTS), planes, 20.0).y.mean())
    assert first == pytest.approx(means[-1], abs=2)


def test_a_map_fades_even_where_the_curve_has_gone() -> None:
    """Guards against a map that vanishes within a frame: with no tone beside it, it was taken for none."""
    tone, planes = FrameTone(PROMPTS), room(low=60, high=160)
    means = [float(hazy_step(tone, planes, 30.0).y.mean())]
    assert tone.on and tone.now is not None and tone.now.within(1.0)
    while tone.on and len(means) < 200:
        means.append(float(hazy_step(tone, planes, 30.0, NOISE).y.mean()))
    assert 10 < len(means) < 200 and np.abs(np.diff(means)).max() <= MOST
    assert means[-1] == planes.y.mean()


def test_it_does_not_flicker_about_its_border() -> None:
    # Guards against a face whose colours change back and forth, because a tone as small as can be seen swings.
    tone, planes, seen = FrameTone(PROMPTS), room(low=60, high=160), []
    for frame in range(80):
        tone.look(planes, False)
        tone.learn(LightChange(0.0, 0.5 + 0.2 * math.sin(frame), 0.0), DARK, 1.0)
        seen.append(tone.on)
    assert sum(a != b for a, b in zip(seen[:-1], seen[1:], strict=True)) <= 1


def test_letterbox_bars_stay_black() -> None:
    # Guards against bars that turn grey or blue under the map of haze.
    planes = room(low=60, high=200)
    luma, u, v = (plane.copy() for plane in (planes.y, planes.u, planes.v))
    for plane, rows, black in ((luma, 20, 16), (u, 10, 128), (v, 10, 128)):
        plane[:rows] = plane[-rows:] = black
    tone, planes = FrameTone(PROMPTS), Planes(luma, u, v)
    out = hazy_step(tone, planes, 30.0)
    assert tone.on and out.y[30:-30].mean() > luma[30:-30].mean() + 5
    for ours, theirs, rows in ((out.y, luma, 20), (out.u, u, 10), (out.v, v, 10)):
        assert np.array_equal(ours[:rows], theirs[:rows]) and np.array_equal(ours[-rows:], theirs[-rows:])


def test_light_that_comes_while_no_face_is_there_is_bent() -> None:
    # Guards against a lamp or a window burnt out for as long as the head is turned away.
    tone = seen(DARK, LightChange(0.7, 0.0, 0.7), 5)
    gain, light = tone.now.gain if tone.now else 0, room(high=210)
    for _ in range(10):
        tone.look(light, False)
        tone.stay(1.0, 1.0)
    assert tone.now is not None and tone.now.gain == gain
    assert (toned_planes(light, tone.now, False).y >= 235).mean() < 0.01


def test_without_a_face_it_goes_when_nobody_asks_and_comes_back() -> None:
    tone, planes = seen(DARK, LightChange(0.7, 3.0, 0.7), 5), through(room(high=200), 0.5)
    gains = []
    for share in (1.0, *[0.5] * 60, *[0.0] * 90):
        tone.look(planes, False)
        tone.stay(share, share)
        assert tone.now is not None
        gains.append(tone.now.gain)
    assert gains[0] == pytest.approx(0.7) and gains[60] == pytest.approx(0.35, abs=0.02)
    assert not tone.on and np.abs(np.diff(gains)).max() <= 0.0301
    for _ in range(90):
        tone.look(planes, False)
        tone.stay(1.0, 0.0)
    assert tone.on and tone.now is not None and tone.now.gain == pytest.approx(0.7, abs=0.02)
