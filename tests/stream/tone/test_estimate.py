"""What a frame needs, told from what the generator did and from its thumbnail."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stream.frames.levels import BLACK
from stream.frames.planes import Planes
from stream.tone.curve import Tone
from stream.tone.estimate import ROWS, LightChange, generators_change, thumbnail_of, veil_left
from tests.stream.frames.pictures import smooth
from tests.stream.tone.scene import EDGE, crop, grey_room, room, through


def pair(before: Planes, after: Planes) -> LightChange:
    one, other = crop(before), crop(after)
    return generators_change((one.y[0, 0], one.uv[0]), (other.y[0, 0], other.uv[0]))


@pytest.mark.parametrize("factor", [0.2, 0.5, 1.0, 1.3])
def test_the_generators_gain_is_read_off_the_crop(factor: float) -> None:
    light = room(high=160)
    change = pair(through(light, factor), light)
    assert change.gain == pytest.approx(-math.log(factor), abs=0.03)
    assert change.colour == pytest.approx(-math.log(factor), abs=0.05)
    assert abs(change.lift) < 2


def test_noise_taken_away_is_no_change_of_light() -> None:
    # Guards against a room that brightens and darkens with the noise in the face.
    light = np.rint(smooth(384, 384, 40, 160)).astype(np.uint8)
    noise = np.random.default_rng(0).normal(0, 12, light.shape)
    noisy, grey = np.rint(light + noise).clip(0, 255).astype(np.uint8), np.full((2, 192, 192), 128, np.uint8)
    change = generators_change((noisy, grey), (light, grey))
    assert abs(change.gain) < 0.01 and abs(change.lift) < 1


def test_a_ceiling_says_nothing_of_the_gain() -> None:
    # Guards against a window in the crop, clipped by the generator, that darkens the room.
    dark = room(high=120)
    dark.y[48:72, 64:128] = 200
    change = pair(dark, through(dark, 2.0))
    assert change.gain == pytest.approx(math.log(2), abs=0.02)
    white = np.full((EDGE, EDGE), 250, np.uint8), np.full((2, EDGE // 2, EDGE // 2), 128, np.uint8)
    assert generators_change(white, white) == LightChange()


def test_one_grey_is_taken_for_a_gain() -> None:
    grey = np.full((EDGE, EDGE), 60, np.uint8), np.full((2, EDGE // 2, EDGE // 2), 128, np.uint8)
    brighter = np.full((EDGE, EDGE), 104, np.uint8), grey[1]
    change = generators_change(grey, brighter)
    assert math.exp(change.gain) * 44 + change.lift == pytest.approx(88, abs=1)
    assert change.gain > 0.6


@pytest.mark.parametrize("share", [0.8, 0.6, 0.45])
def test_a_veil_is_found_and_a_clear_room_has_none(share: float) -> None:
    clear = grey_room()
    assert veil_left(thumbnail_of(clear, False), Tone()) == (0, 0, 0, 0)
    level, contrast, _, _ = veil_left(thumbnail_of(through(clear, share, 176 * (1 - share)), False), Tone())
    assert math.exp(-contrast) == pytest.approx(share, abs=0.12)
    assert level == pytest.approx(176 * (1 - share), abs=18)


def test_a_thumbnail_is_of_limited_range_and_small() -> None:
    full = Planes(np.full((720, 1280), 255, np.uint8), *(np.full((360, 640), 128, np.uint8) for _ in range(2)))
    small = thumbnail_of(full, True)
    assert small.shape[0] == 3 and ROWS <= small.shape[1] < 2 * ROWS
    assert np.allclose(small[0], 219 + BLACK) and np.allclose(small[1:], 128)
    assert thumbnail_of(Planes(*(np.zeros((1, 1), np.uint8) for _ in range(3))), False).shape == (3, 1, 1)


def test_light_asked_for_in_daylight_does_not_burn_the_picture() -> None:
    # Guards against a white room and pale skin where somebody asks for light that is there already.
    assert LightChange(gain=0.8, light=120.0).sensible_gain < 0.25
    assert LightChange(gain=0.8, light=50.0).sensible_gain == 0.8
    assert LightChange(gain=0.8, light=200.0).sensible_gain == 0
    assert LightChange(gain=-0.1, light=200.0).sensible_gain == -0.1
