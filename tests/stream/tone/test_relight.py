"""In the dark the crop goes through the frame's tone first; now and then it is looked at as it came."""

from __future__ import annotations

from dataclasses import replace

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from stream.frames.pixels import channels, read_planes
from stream.models import Model
from stream.prompt import SMOOTHING
from stream.restorer import STAGES, FaceRestorer
from stream.timing import Stages
from stream.tone.estimate import LightChange
from stream.tone.relight import EVERY, JUMP, SOON, Relight, mixed
from tests.stream.fakes import Call, FakeEngine, face, fake_manifest, noise_frame

KNOWN = "low light", "noise", "haze"
DARK = LightChange(0.5, 2.0, 0.4, 40.0)


def crop(level: float) -> NDArray[np.uint8]:
    return np.full((64, 64), round(level), np.uint8)


def weights(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("prompt", "first"), [((0.5, 0, 0), True), ((0.5, 0.5, 0), True), ((0, 0.5, 0), False), ((0.5, 0, 0.3), False)]
)
def test_tone_comes_first_in_the_dark_and_not_in_haze(prompt: tuple[float, ...], first: bool) -> None:
    assert Relight(KNOWN).asked(weights(*prompt)) == first


def test_a_model_that_knows_of_no_light_is_never_asked_for_it() -> None:
    relight = Relight(("noise",))
    assert not relight.asked(weights(0.5)) and relight.rest(weights(0.5)) == weights(0.5)


def test_it_looks_at_once_and_then_every_so_often() -> None:
    relight, looks = Relight(KNOWN), []
    for frame in range(3 * EVERY + 3):
        if relight.due(crop(40)):
            relight.looked(DARK)
            looks.append(frame)
    assert looks == [0, EVERY + 1, 2 * EVERY + 2]
    relight.forget()
    assert relight.due(crop(40)) and relight.change is None


def test_a_lamp_is_looked_at_at_once_and_again_until_it_is_settled() -> None:
    # Guards against a room that stays dark for seconds after the lamp has gone out.
    relight, looks = Relight(KNOWN), []
    for frame in range(30):
        lamp = frame >= 5
        if relight.due(crop(40 + 2 * JUMP if lamp else 40)):
            relight.follow(weights(0.5, 0, 0), weights(0.2 if lamp else 0.5, 0, 0), lit=False)
            relight.looked(LightChange() if frame in (5, 8) else DARK)
            looks.append(frame)
    assert looks[:3] == [0, 5, 5 + SOON + 1] and max(np.diff(looks[1:])) == SOON + 1
    for frame in range(30, 60):
        if relight.due(crop(40 + 2 * JUMP)):
            relight.follow(weights(0.2, 0, 0), weights(0.2, 0, 0), lit=False)
            relight.looked(relight.change or DARK)
            looks.append(frame)
    assert looks[-1] - looks[-2] == EVERY + 1


def test_what_is_known_goes_a_share_of_the_way() -> None:
    relight = Relight(KNOWN)
    relight.looked(DARK)
    assert relight.change == DARK
    relight.looked(LightChange())
    assert relight.change == mixed(DARK, LightChange()) and 0 < mixed(DARK, LightChange()).gain < DARK.gain


def test_light_is_followed_by_looks_alone() -> None:
    # Guards against a room that goes dark again because the picture under the tone is not.
    relight, average = Relight(KNOWN), weights(0.8, 0.2, 0.0)
    relight.looked(DARK)
    after = relight.follow(average, weights(0.0, 0.6, 0.0), lit=True)
    assert after.tolist() == pytest.approx([0.8, 0.2 + SMOOTHING * 0.4, 0.0])
    # A look stands for all frames since the one before: a lamp that comes on is noticed as soon as ever.
    for _ in range(EVERY):
        relight.due(crop(40))
    looked = relight.follow(average, weights(0.0, 0.6, 0.0), lit=False)
    assert looked[0] == pytest.approx(0.8 * (1 - SMOOTHING) ** EVERY)
    assert relight.follow(None, weights(0.3, 0, 0), lit=False).tolist() == pytest.approx([0.3, 0, 0])


def stand() -> tuple[FaceRestorer, list[Call]]:
    calls: list[Call] = []
    manifest = replace(fake_manifest(64), prompts=("low light", "noise"))
    engine = FakeEngine(manifest, calls, estimate=(0.8, 0.6))
    return FaceRestorer(Model("fake", {64: engine})), calls


def dark_frame() -> av.VideoFrame:
    frame = noise_frame()
    for channel in channels(frame)[:1]:
        channel[:] = 16 + (channel.astype(float) - 16) * 0.3
    return frame


def test_the_generator_gets_a_crop_in_the_right_light_and_no_prompt_for_it() -> None:
    restorer, calls = stand()
    frame, stages = dark_frame(), Stages(STAGES)
    lit: list[Call] = []
    for number in range(2 * EVERY):
        calls.clear()
        stages.start()
        out = restorer.restore(frame, read_planes(frame), face(160, 120, 30), None, 1.0, stages)
        assert channels(out)[0].mean() > channels(frame)[0].mean() + 5, "the room is lit in every frame"
        assert restorer.prompt[0] > 0.5, "what is told is what was asked for"
        lit.append(calls[-1])
        # The very first sees what there is to do at all.
        looks = calls[1:-1] if number == 0 else calls[:-1]
        assert len(looks) == (number in (0, EVERY + 1))
        assert all(look.fresh and look.prompt[0] > 0 and look.y.mean() < calls[-1].y.mean() - 5 for look in looks)
    assert all(call.prompt[0] == 0 and call.prompt[1] > 0 for call in lit)
    # From the first frame on, so that what is remembered need not be forgotten.
    assert [call.fresh for call in lit] == [True] + [False] * (len(lit) - 1)


def test_when_the_light_is_right_the_crop_goes_as_it_came_again() -> None:
    restorer, calls = stand()
    frame, stages = dark_frame(), Stages(STAGES)
    for wanted in [None, None, weights(0, 0.5)] + [weights(0, 0.5)] * 80:
        stages.start()
        restorer.restore(frame, read_planes(frame), face(160, 120, 30), wanted, 1.0, stages)
    before = calls[-1].y.mean()
    assert calls[-1].prompt == [0, 0.5] and not calls[-1].fresh
    assert calls[0].y.mean() == pytest.approx(before)
