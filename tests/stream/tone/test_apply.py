"""A tone on planes and on frames of every format."""

from __future__ import annotations

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from stream.frames.pixels import channels, is_full_range, read_planes
from stream.frames.planes import Planes
from stream.frames.replace import replaced
from stream.tone.apply import toned_planes
from stream.tone.curve import Tone
from tests.stream.frames.pictures import FORMATS, contents, converted, picture
from tests.stream.tone.scene import room, through

GAIN = Tone(gain=float(np.log(1.4)), top=140.0)


def toned(frame: av.VideoFrame) -> av.VideoFrame:
    planes = read_planes(frame)
    return replaced(frame, planes, toned_planes(planes, GAIN, is_full_range(frame)))


def test_a_darkened_room_comes_back() -> None:
    light = room(high=200)
    out = toned_planes(through(light, 0.5), Tone(gain=float(np.log(2)), top=92.0), False)
    for ours, theirs in zip((out.y, out.u, out.v), (light.y, light.u, light.v), strict=True):
        assert np.abs(ours.astype(int) - theirs).max() <= 3


def test_a_veil_is_lifted_with_its_tint() -> None:
    clear = room(low=30, high=190)
    hazy = through(clear, 0.6, 70.0)
    tinted = Planes(hazy.y, hazy.u + np.uint8(3), hazy.v - np.uint8(2))
    out = toned_planes(tinted, Tone(veil=70.0, contrast=float(-np.log(0.6)), tint_u=3.0, tint_v=-2.0, top=180.0), False)
    for ours, theirs in zip((out.y, out.u, out.v), (clear.y, clear.u, clear.v), strict=True):
        assert np.abs(ours.astype(int) - theirs).max() <= 3


def test_black_gets_no_colour() -> None:
    # Guards against letterbox bars that turn blue under the tint of a veil.
    grey = np.full((8, 8), 128, np.uint8)
    bars = Planes(np.full((16, 16), 16, np.uint8), grey, grey)
    out = toned_planes(bars, Tone(veil=30.0, contrast=0.3, tint_u=4.0, tint_v=-4.0), False)
    assert (out.y == 16).all() and (out.u == 128).all() and (out.v == 128).all()


def test_hues_stay() -> None:
    # Guards against skin that shifts: chroma keeps its angle, also where light is bent down.
    source = room(high=230)
    out = toned_planes(source, Tone(gain=0.8, top=214.0), False)

    def angle(planes: Planes) -> NDArray[np.float64]:
        return np.asarray(np.degrees(np.arctan2(planes.v.astype(float) - 128, planes.u.astype(float) - 128)))

    strong = np.hypot(source.u.astype(float) - 128, source.v.astype(float) - 128) > 12
    turned = (angle(out) - angle(source) + 180) % 360 - 180
    assert np.abs(turned[strong]).mean() < 2


def test_an_edge_stays_an_edge() -> None:
    # Guards against halos: what lies beside a bright window is toned as if the window were not there.
    luma = np.full((64, 64), 60, np.uint8)
    luma[:, 32:] = 210
    grey = np.full((32, 32), 128, np.uint8)
    out = toned_planes(Planes(luma, grey, grey), Tone(gain=0.7, top=194.0), False)
    assert len(np.unique(out.y[:, :32])) == len(np.unique(out.y[:, 32:])) == 1
    assert out.y[0, 0] < out.y[0, -1] <= 235


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gets_the_same_tone(name: str, full_range: bool) -> None:
    # Guards against formats whose depth, range or order of components the tone mixes up.
    frame = picture(name, full_range=full_range)
    before = contents(frame)
    out = toned(frame)
    assert out.format.name == name and out.pts == frame.pts
    assert all(np.array_equal(a, b) for a, b in zip(before, contents(frame), strict=True))
    wanted = toned_planes(read_planes(frame), GAIN, is_full_range(frame))
    got = read_planes(out)
    assert np.abs(got.y.astype(int) - wanted.y).max() <= 3
    for ours, theirs in ((got.u, wanted.u), (got.v, wanted.v)):
        assert np.abs(ours.astype(int) - theirs).mean() <= 2


def test_ten_bits_keep_their_lowest() -> None:
    # Guards against a picture that loses its depth to tables of 256 levels.
    frame = picture("yuv420p10le")
    channels(frame)[0][:48, :64] = 400 + np.arange(64) % 4
    out = channels(toned(frame))[0]
    assert len(np.unique(out)) == 4


@pytest.mark.parametrize("size", [(64, 48), (65, 49), (17, 13), (2, 2), (1, 1)])
def test_any_size(size: tuple[int, int]) -> None:
    frame = picture("yuv420p", *size)
    out = toned(frame)
    assert (out.width, out.height) == size
    assert converted(out, "rgb24").width == size[0]
