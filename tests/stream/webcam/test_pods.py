"""PipeWire's parameters: a byte amiss and no program finds the format."""

from __future__ import annotations

import struct
from fractions import Fraction

import pytest

from stream.webcam import pods


def test_values_are_padded_to_eight_bytes() -> None:
    assert pods.int_(7) == bytes([4, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0])
    assert pods.rectangle(1280, 720) == struct.pack("=IIII", 8, 10, 1280, 720)
    assert pods.fraction(Fraction(30000, 1001)) == struct.pack("=IIII", 8, 11, 30000, 1001)


def test_a_range_gives_the_default_and_both_bounds() -> None:
    # Size and type of the choice, kind, flags, size and type of its values, the values, padding.
    assert pods.int_range(4, 2, 8) == struct.pack("=IIIIIIiiii", 28, 19, 1, 0, 4, 4, 4, 2, 8, 0)


def properties(data: bytes) -> dict[int, bytes]:
    """Key to value of a packed object."""
    size, kind = struct.unpack_from("=II", data)
    assert kind == pods.OBJECT and len(data) == 8 + size and size % 8 == 0
    found, at = {}, 16
    while at < len(data):
        key, flags, length = struct.unpack_from("=III", data, at)
        assert flags == 0
        found[key] = data[at + 16 : at + 16 + length]
        at += 16 + length + -length % 8
    return found


def test_the_format_says_size_rate_and_colour() -> None:
    data = pods.video_format(1280, 720, Fraction(30))
    assert struct.unpack_from("=II", data, 8) == (pods.OBJECT_FORMAT, pods.PARAM_ENUM_FORMAT)
    found = properties(data)
    assert found[pods.SIZE] == struct.pack("=II", 1280, 720)
    assert found[pods.FRAMERATE] == struct.pack("=II", 30, 1)
    numbers = {key: struct.unpack("=I", value)[0] for key, value in found.items() if len(value) == 4}
    assert numbers == {
        pods.MEDIA_TYPE: 2,
        pods.MEDIA_SUBTYPE: 1,
        pods.FORMAT: 2,
        pods.COLOR_RANGE: 2,
        pods.COLOR_MATRIX: 4,
        pods.TRANSFER: 5,
        pods.PRIMARIES: 1,
    }


@pytest.mark.parametrize("data", [pods.buffers(1280 * 720 * 3 // 2, 1280), pods.header_meta()])
def test_other_parameters_are_whole_objects(data: bytes) -> None:
    assert properties(data)


def test_a_header_has_32_bytes() -> None:
    assert pods.HEADER.size == 32
