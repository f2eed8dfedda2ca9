"""The map round the face: with what is pasted on top the face is the generator's, and the room goes along."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from stream.face.crop import Crop
from stream.frames.planes import Planes
from stream.tone.apply import halved
from stream.tone.places import MOST, Places

SIZE = (320, 192)
CROPS = [Crop(96, 32, 128, 128), Crop(-32, 96, 128, 128), Crop(64, -16, 256, 128)]


def grey(level: int = 100) -> Planes:
    chroma = np.full((SIZE[1] // 2, SIZE[0] // 2), 128, np.uint8)
    return Planes(np.full(SIZE[::-1], level, np.uint8), chroma, chroma.copy())


def detail(level: float = 12.0) -> list[NDArray[np.float32]]:
    """Lighter to the right by `level` from edge to edge, and one level of colour."""
    ramp = np.linspace(-level / 2, level / 2, 128, dtype=np.float32)
    return [np.tile(ramp, (128, 1)), *(np.full((64, 64), value, np.float32) for value in (1.0, -1.0))]


def laid(places: Places, planes: Planes, full_range: bool = False) -> Planes:
    return places.add(planes, halved(planes.y, planes.u.shape), full_range)


def rest_of(
    places: Places, given: list[NDArray[np.float32]], crop: Crop, level: int = 100
) -> list[NDArray[np.float32]]:
    luma = np.full((128, 128), level, np.uint8)
    return places.beyond(given, luma, luma[::2, ::2], crop, SIZE)


@pytest.mark.parametrize("level", [18, 30, 100, 226])
@pytest.mark.parametrize("crop", CROPS, ids=str)
def test_map_and_rest_are_the_detail(crop: Crop, level: int) -> None:
    # Guards against a crop that gets its light twice, or a map that lies beside its crop.
    places = Places()
    places.learn(detail(), crop, SIZE, 1.0)
    out = laid(places, grey(level))
    rest = rest_of(places, detail(), crop, level)
    step = crop.size // 128
    for plane, left, wanted, shrunk in zip((out.y, out.u, out.v), rest, detail(), (1, 2, 2), strict=True):
        added = plane.astype(np.float32) - (level if shrunk == 1 else 128)
        at = (np.arange(len(wanted)) * step + step // 2), (np.arange(len(wanted)) * step + step // 2)
        rows, columns = crop.y // shrunk + at[0], crop.x // shrunk + at[1]
        there = np.ix_((rows >= 0) & (rows < len(plane)), (columns >= 0) & (columns < plane.shape[1]))
        seen = added[np.ix_(rows[there[0].ravel()], columns[there[1].ravel()])]
        assert np.abs(seen + left[there] - wanted[there]).max() <= 1.001
        # Next to nothing coarse is left to be pasted.
        assert level != 100 or np.abs(left).mean() < 0.15 * max(1.0, np.abs(wanted).mean() * 2)


def test_the_room_goes_along_and_what_is_far_does_not() -> None:
    places, crop = Places(), Crop(32, 32, 128, 128)
    places.learn(detail(), crop, SIZE, 1.0)
    row = laid(places, grey()).y[96].astype(int) - 100
    beside, far = row[crop.x + crop.size + 4], row[-1]
    assert beside >= 4 and far <= 1
    # No step at the crop's border.
    assert np.abs(np.diff(row)).max() <= 1


def test_it_follows_slowly_and_goes_again() -> None:
    # Guards against pumping: the generator's idea of haze swings from frame to frame.
    places, crop, levels = Places(), CROPS[0], []
    for frame in range(60):
        places.learn(detail(80.0 if frame < 30 else 0.0), crop, SIZE, 1.0 if frame else 0.0)
        levels.append(float(laid(places, grey()).y[96, 200]) - 100)
    # The first step too: who asks for haze in the middle of a call must not see the room jump.
    assert levels[0] == 0 and np.abs(np.diff(levels)).max() <= MOST + 1
    assert max(levels) > 15 and levels[-1] < 5


def test_without_haze_not_a_bit_changes() -> None:
    places, planes, given = Places(), grey(), detail()
    places.learn(given, CROPS[0], SIZE, 0.0)
    assert not places.on and laid(places, planes) is planes
    assert rest_of(places, given, CROPS[0]) is given


def test_full_range_takes_larger_steps() -> None:
    places = Places()
    places.learn([np.full((n, n), 20.0, np.float32) for n in (128, 64, 64)], CROPS[0], SIZE, 1.0)
    limited, full = (laid(places, grey(), flag).y[96, 160] - 100.0 for flag in (False, True))
    assert full == pytest.approx(limited * 255 / 219, abs=1)


def test_asked_for_after_a_rest_it_starts_from_nothing_and_after_a_cut_it_is_whole() -> None:
    # Guards against a map of ten levels that is there from one frame to the next.
    places, crop = Places(), CROPS[0]
    places.learn(detail(80.0), crop, SIZE, 1.0)
    whole = places.most
    places.rest()
    places.learn(detail(80.0), crop, SIZE, 1.0)
    assert 0 < places.most <= MOST < whole / 4
    places.forget()
    places.learn(detail(80.0), crop, SIZE, 1.0)
    assert places.most == whole


def test_another_size_of_frame_keeps_the_light() -> None:
    places, crop = Places(), CROPS[0]
    places.learn(detail(80.0), crop, SIZE, 1.0)
    before = places.most
    places.learn(detail(80.0), Crop(192, 64, 256, 128), (640, 384), 1.0)
    assert places.most == pytest.approx(before, rel=0.1) and places.maps is not None
    assert places.maps.shape == (3, 24, 40)
