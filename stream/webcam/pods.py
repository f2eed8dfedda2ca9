"""PipeWire's parameters as bytes (SPA pods): picture format, buffers, the header of each frame. Pure packing."""

from __future__ import annotations

import struct
from fractions import Fraction

ID, INT, RECTANGLE, FRACTION, OBJECT, CHOICE = 3, 4, 10, 11, 15, 19
"""Pod types."""
OBJECT_FORMAT, OBJECT_BUFFERS, OBJECT_META = 0x40003, 0x40004, 0x40005
PARAM_ENUM_FORMAT, PARAM_FORMAT, PARAM_BUFFERS, PARAM_META = 3, 4, 5, 6
CHOICE_RANGE = 1
MEDIA_VIDEO, MEDIA_RAW, VIDEO_I420 = 2, 1, 2
RANGE_16_235, MATRIX_BT601, TRANSFER_BT709, PRIMARIES_BT709 = 2, 4, 5, 1
MEDIA_TYPE, MEDIA_SUBTYPE = 1, 2
FORMAT, SIZE, FRAMERATE = 0x20001, 0x20003, 0x20004
COLOR_RANGE, COLOR_MATRIX, TRANSFER, PRIMARIES = 0x2000C, 0x2000D, 0x2000E, 0x2000F
BUFFERS_COUNT, BUFFERS_BLOCKS, BUFFERS_SIZE, BUFFERS_STRIDE = 1, 2, 3, 4
META_TYPE, META_SIZE, META_HEADER = 1, 2, 1
HEADER = struct.Struct("=IIqqQ")
"""Of a frame: flags, offset, presentation time in ns, decoding offset, sequence number."""


def pod(kind: int, body: bytes) -> bytes:
    """One value with its size and type, padded to 8 bytes."""
    return struct.pack("=II", len(body), kind) + body + bytes(-len(body) % 8)


def id_(value: int) -> bytes:
    """A member of an enumeration."""
    return pod(ID, struct.pack("=I", value))


def int_(value: int) -> bytes:
    """A whole number of 32 bits."""
    return pod(INT, struct.pack("=i", value))


def int_range(default: int, low: int, high: int) -> bytes:
    """A whole number that the other side may choose between two bounds."""
    return pod(CHOICE, struct.pack("=IIIIiii", CHOICE_RANGE, 0, 4, INT, default, low, high))


def rectangle(width: int, height: int) -> bytes:
    """A size in pixels."""
    return pod(RECTANGLE, struct.pack("=II", width, height))


def fraction(value: Fraction) -> bytes:
    """A ratio, such as a frame rate."""
    return pod(FRACTION, struct.pack("=II", value.numerator, value.denominator))


def object_(kind: int, param: int, properties: dict[int, bytes]) -> bytes:
    """An object of that type for that parameter; `properties` are packed values by key."""
    body = struct.pack("=II", kind, param)
    for key, value in properties.items():
        body += struct.pack("=II", key, 0) + value
    return pod(OBJECT, body)


def video_format(width: int, height: int, rate: Fraction) -> bytes:
    """The one format on offer: I420, BT.601 in limited range, as raw pictures of webcams are."""
    return object_(
        OBJECT_FORMAT,
        PARAM_ENUM_FORMAT,
        {
            MEDIA_TYPE: id_(MEDIA_VIDEO),
            MEDIA_SUBTYPE: id_(MEDIA_RAW),
            FORMAT: id_(VIDEO_I420),
            SIZE: rectangle(width, height),
            FRAMERATE: fraction(rate),
            COLOR_RANGE: id_(RANGE_16_235),
            COLOR_MATRIX: id_(MATRIX_BT601),
            TRANSFER: id_(TRANSFER_BT709),
            PRIMARIES: id_(PRIMARIES_BT709),
        },
    )


def buffers(size: int, stride: int) -> bytes:
    """Four buffers, or two to eight, of `size` bytes in one block."""
    return object_(
        OBJECT_BUFFERS,
        PARAM_BUFFERS,
        {
            BUFFERS_COUNT: int_range(4, 2, 8),
            BUFFERS_BLOCKS: int_(1),
            BUFFERS_SIZE: int_(size),
            BUFFERS_STRIDE: int_(stride),
        },
    )


def header_meta() -> bytes:
    """That each frame carries a header."""
    return object_(OBJECT_META, PARAM_META, {META_TYPE: id_(META_HEADER), META_SIZE: int_(HEADER.size)})
