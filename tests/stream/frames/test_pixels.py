"""Samples of frames: read as FFmpeg reads them, and never written into."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange

from engines.errors import BadInput
from stream.frames.pixels import channels, copy_frame, is_full_range, layout, read_planes
from stream.frames.planes import Planes
from tests.stream.frames.pictures import FORMATS, contents, picture, rows, same

SIZES = [(64, 48), (65, 47)]


def difference(one: Planes, other: Planes) -> int:
    """The largest of any sample."""
    pairs = ((one.y, other.y), (one.u, other.u), (one.v, other.v))
    return max(int(np.abs(a.astype(int) - b).max()) for a, b in pairs)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", FORMATS)
def test_planes_show_the_picture(name: str, size: tuple[int, int]) -> None:
    frame = picture(name, *size, full_range=name.startswith("gray"))
    planes = read_planes(frame)
    half = ((size[1] + 1) // 2, (size[0] + 1) // 2)
    assert planes.y.shape == size[::-1] and planes.u.shape == planes.v.shape == half
    assert planes.y.dtype == planes.u.dtype == planes.v.dtype == np.uint8
    expected = planes_of_444(*size)
    if name.startswith("gray"):
        assert (planes.u == 128).all() and (planes.v == 128).all()
        expected = Planes(expected.y, planes.u, planes.v)
    assert difference(planes, expected) <= 4


def planes_of_444(width: int = 64, height: int = 48) -> Planes:
    """What every picture was made from; chroma by means of what there is of each square of four."""
    y, u, v = (view.astype(np.uint8) for view in channels(picture("yuv444p", width, height)))
    padded = (np.pad(plane, ((0, height % 2), (0, width % 2)), mode="edge").astype(float) for plane in (u, v))
    half = [(p[::2, ::2] + p[1::2, ::2] + p[::2, 1::2] + p[1::2, 1::2]) / 4 for p in padded]
    return Planes(y, *(np.rint(plane).astype(np.uint8) for plane in half))


@pytest.mark.parametrize("name", ["yuv420p", "yuv422p", "yuyv422", "yuv420p10le", "p010le", "yuv444p", "yuva420p"])
def test_full_range_stays_full_range(name: str) -> None:
    # Guards against a conversion that squeezes 0..255 into 16..235 on its way to 4:2:0.
    frame = picture(name, full_range=True)
    assert is_full_range(frame)
    assert difference(read_planes(frame), planes_of_444()) <= 2


@pytest.mark.parametrize(
    ("name", "tag", "full"),
    [
        ("yuv420p", ColorRange.UNSPECIFIED, False),
        ("yuv420p", ColorRange.MPEG, False),
        ("yuv420p", ColorRange.JPEG, True),
        ("yuvj420p", ColorRange.UNSPECIFIED, True),
        ("yuvj420p", ColorRange.MPEG, True),
        ("gray", ColorRange.UNSPECIFIED, True),
        ("gray", ColorRange.MPEG, False),
        ("rgb24", ColorRange.JPEG, False),
    ],
)
def test_range(name: str, tag: ColorRange, full: bool) -> None:
    frame = av.VideoFrame(16, 16, name)
    frame.color_range = int(tag)
    assert is_full_range(frame) == full


@pytest.mark.parametrize("name", ["yuv420p", "yuvj420p", "nv12", "nv21", "yuva420p", "gray"])
def test_the_formats_of_calls_are_read_without_a_copy(name: str) -> None:
    frame = picture(name)
    planes = read_planes(frame)
    views = channels(frame)
    for plane, view in zip((planes.y, planes.u, planes.v), views, strict=False):
        assert np.shares_memory(plane, view)


def test_an_unknown_format_is_refused() -> None:
    frame = av.VideoFrame(16, 16, "pal8")
    for read in (read_planes, channels, is_full_range, layout):
        with pytest.raises(BadInput, match="pal8"):
            read(frame)


@pytest.mark.parametrize("size", [*SIZES, (1, 1)])
@pytest.mark.parametrize("name", FORMATS)
def test_a_copy_has_all_samples_and_memory_of_its_own(name: str, size: tuple[int, int]) -> None:
    frame = picture(name, *size)
    before = contents(frame)
    copy = copy_frame(frame)
    assert same(copy, frame)
    for plane in copy.planes:
        rows(plane)[:] ^= 255
    assert all(np.array_equal(a, b) for a, b in zip(before, contents(frame), strict=True))


def test_a_copy_has_the_times_and_the_colour_tags() -> None:
    frame = picture("yuv420p")
    frame.pts, frame.time_base, frame.duration = 1234, Fraction(1, 90000), 3003
    frame.color_range, frame.colorspace, frame.color_primaries, frame.color_trc = 2, 1, 9, 16
    copy = copy_frame(frame)
    assert (copy.pts, copy.time_base, copy.duration, copy.time) == (1234, Fraction(1, 90000), 3003, frame.time)
    assert (copy.color_range, copy.colorspace, copy.color_primaries, copy.color_trc) == (2, 1, 9, 16)
    assert copy_frame(av.VideoFrame(16, 16, "yuv420p")).pts is None


@pytest.mark.parametrize("name", ["yuv420p", "bgr24", "yuv420p10le"])
def test_a_picture_stored_from_the_bottom_up(name: str) -> None:
    # Guards against negative line sizes, as uncompressed AVI has them: they were an error, or a picture upside down.
    frame = picture(name)
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 30), name="in"
    )
    flip, sink = graph.add("vflip"), graph.add("buffersink")
    source.link_to(flip)
    flip.link_to(sink)
    graph.configure()
    frame.pts = 0
    source.push(frame)
    flipped = sink.pull()
    assert isinstance(flipped, av.VideoFrame) and flipped.planes[0].line_size < 0
    for one, other, copy in zip(channels(flipped), channels(frame), channels(copy_frame(flipped)), strict=True):
        assert np.array_equal(one, other[::-1]) and np.array_equal(copy, one)
