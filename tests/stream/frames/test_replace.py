"""Other planes for a frame: what was done to 8-bit planes is done in every pixel format, and nothing else."""

from __future__ import annotations

import av
import numpy as np
import pytest

from engines.errors import BadInput
from stream.frames.layout import layout_of
from stream.frames.pixels import channels, read_planes
from stream.frames.planes import Planes
from stream.frames.replace import replaced
from tests.stream.frames.pictures import FORMATS, contents, picture, same

LIGHTER = 12
"""Levels of luma."""


def lighter(planes: Planes) -> Planes:
    """The left half lighter, as large as the picture."""
    y = planes.y.copy()
    y[:, : planes.width // 2] += LIGHTER
    return Planes(y, planes.u, planes.v)


@pytest.mark.parametrize("size", [(64, 48), (65, 47)])
@pytest.mark.parametrize("name", FORMATS)
def test_planes_that_stayed_leave_every_bit(name: str, size: tuple[int, int]) -> None:
    # Guards against depth, chroma or alpha lost on the way to 8-bit 4:2:0 and back.
    frame = picture(name, *size)
    planes = read_planes(frame)
    assert same(replaced(frame, planes, planes), frame)


@pytest.mark.parametrize("size", [(64, 48), (65, 47)])
@pytest.mark.parametrize("name", FORMATS)
def test_the_change_is_what_was_done_to_the_planes(name: str, size: tuple[int, int]) -> None:
    frame = picture(name, *size, full_range=name.startswith("gray"))
    before, kept = read_planes(frame), contents(frame)
    out = replaced(frame, before, lighter(before))
    assert all(np.array_equal(one, other) for one, other in zip(kept, contents(frame), strict=True)), "only read"
    found = read_planes(out)
    step = found.y.astype(int) - before.y
    half = size[0] // 2
    assert abs(step[:, : half - 1] - LIGHTER).max() <= 1 and abs(step[:, half + 1 :]).max() <= 1
    for one, other in ((found.u, before.u), (found.v, before.v)):
        assert abs(one.astype(int) - other).max() <= 1


def test_ten_bits_keep_what_eight_cannot_hold() -> None:
    # Guards against a 10-bit film whose gradients show steps of four levels.
    frame = picture("yuv420p10le")
    channels(frame)[0][:] += np.arange(64, dtype=np.uint16) % 4
    before = read_planes(frame)
    out = replaced(frame, before, lighter(before))
    old, new = channels(frame)[0].astype(int), channels(out)[0].astype(int)
    assert (new - old)[:, :32].min() == (new - old)[:, :32].max() == 4 * LIGHTER
    assert np.array_equal(new[:, 32:], old[:, 32:]) and set((new % 4).flat) == {0, 1, 2, 3}


def test_eight_bits_are_the_new_planes_themselves() -> None:
    frame = picture("yuv420p")
    frame.pts, frame.color_primaries = 7, 9
    before, rng = read_planes(frame), np.random.default_rng(0)
    after = Planes(*(rng.integers(0, 256, p.shape, np.uint8) for p in (before.y, before.u, before.v)))
    out = replaced(frame, before, after)
    assert all(np.array_equal(a, b) for a, b in zip(channels(out), (after.y, after.u, after.v), strict=True))
    assert (out.pts, out.color_primaries) == (7, 9)


def test_a_change_past_the_end_stops_there() -> None:
    # Guards against white that wraps around to black.
    frame = picture("yuv444p10le")
    before = read_planes(frame)
    white = Planes(np.full_like(before.y, 255), before.u, before.v)
    y = channels(replaced(frame, before, white))[0]
    assert y.max() <= 1023 and y.min() >= 4 * 250


def test_an_unknown_format_is_refused() -> None:
    assert layout_of("pal8") is None
    planes = read_planes(picture("yuv420p"))
    with pytest.raises(BadInput, match="pal8"):
        replaced(av.VideoFrame(64, 48, "pal8"), planes, planes)
