"""V4L2's structures: sizes and numbers are the kernel's, a wrong one is refused or, worse, taken."""

from __future__ import annotations

import struct
from fractions import Fraction

import pytest

from stream.webcam import v4l2
from stream.webcam.output import Shape

SHAPE = Shape(1280, 720, Fraction(30000, 1001))


@pytest.mark.skipif(struct.calcsize("P") != 8, reason="the numbers of 64-bit machines")
def test_request_numbers_are_those_of_the_kernels_header() -> None:
    assert v4l2.QUERYCAP == 0x80685600
    assert v4l2.ENUM_FMT == 0xC0405602
    assert v4l2.S_FMT == 0xC0D05605
    assert v4l2.S_PARM == 0xC0CC5616
    assert v4l2.ENUM_FRAMESIZES == 0xC02C564A
    assert v4l2.ENUM_FRAMEINTERVALS == 0xC034564B
    assert v4l2.DQEVENT == 0x80885659
    assert v4l2.SUBSCRIBE_EVENT == 0x4020565A


def test_the_output_format_says_size_and_colour() -> None:
    data = v4l2.pack_output_format(SHAPE)
    assert len(data) == v4l2.FORMAT_BYTES
    assert struct.unpack_from("=I", data)[0] == 2
    assert v4l2.read_output_format(data) == (1280, 720, "YU12", 1280 * 720 * 3 // 2)
    # sRGB primaries; BT.601, limited range, transfer of BT.709.
    assert v4l2.PIXELS.unpack_from(data, v4l2.FORMAT_OFFSET)[6:] == (8, 0, 0, 1, 2, 1)


def test_the_rate_is_told_as_time_per_frame() -> None:
    data = v4l2.pack_output_rate(SHAPE.rate)
    assert len(data) == v4l2.PARAMETERS_BYTES
    assert struct.unpack_from("=5I", data)[3:] == (1001, 30000)


def event(kind: int, count: int) -> bytes:
    return struct.pack("=III", kind, 0, count).ljust(v4l2.EVENT_BYTES, b"\0")


def test_the_loopbacks_event_tells_how_many_read() -> None:
    assert [v4l2.read_usage(event(kind, 2)) for kind in v4l2.CLIENT_USAGE] == [2, 2]
    assert v4l2.read_usage(event(5, 1)) is None
    assert len(v4l2.pack_subscription(v4l2.CLIENT_USAGE[0])) == 32


def test_letters() -> None:
    assert v4l2.letters(v4l2.fourcc("MJPG")) == "MJPG"
    assert v4l2.fourcc("YUYV") == 0x56595559
