"""The part of Linux's video interface (V4L2) that clearcall speaks: numbers, structures and what they mean. No I/O."""

from __future__ import annotations

import struct
from fractions import Fraction

from stream.webcam.output import Shape

CAPABILITY = struct.Struct("=16s32s32s6I")
FORMAT_DESCRIPTION = struct.Struct("=3I32s5I")
FRAME_SIZE = struct.Struct("=11I")
FRAME_INTERVAL = struct.Struct("=13I")
PIXELS = struct.Struct("=12I")
SUBSCRIPTION = struct.Struct("=8I")
_POINTER = struct.calcsize("P")
FORMAT_BYTES = 208 if _POINTER == 8 else 204
FORMAT_OFFSET = _POINTER
"""Where the union begins in `v4l2_format`."""
PARAMETERS_BYTES = 204
EVENT_BYTES = 136 if _POINTER == 8 else 120

CAP_CAPTURE, CAP_OUTPUT, CAP_STREAMING, CAP_DEVICE_CAPS = 0x1, 0x2, 0x04000000, 0x80000000
TYPE_CAPTURE, TYPE_OUTPUT = 1, 2
DISCRETE = 1
"""Of sizes and intervals; the others give bounds and a step."""
FIELD_NONE = 1
COLORSPACE_SRGB, ENCODING_601, QUANTIZATION_LIMITED, TRANSFER_709 = 8, 1, 2, 1
SEND_INITIAL = 1
CLIENT_USAGE = (0x08000000 + 0x08E00000 + 1, 0x08000000)
"""v4l2loopback's own event, from 0.13 on and before: its first number tells how many programs read."""


def fourcc(text: str) -> int:
    """Four letters as V4L2's number."""
    return int.from_bytes(text.encode("ascii"), "little")


def letters(number: int) -> str:
    """V4L2's number as four letters."""
    return number.to_bytes(4, "little").decode("ascii", "replace").strip()


def _request(direction: int, number: int, size: int) -> int:
    return direction << 30 | size << 16 | ord("V") << 8 | number


QUERYCAP = _request(2, 0, CAPABILITY.size)
ENUM_FMT = _request(3, 2, FORMAT_DESCRIPTION.size)
S_FMT = _request(3, 5, FORMAT_BYTES)
STREAM_ON = _request(1, 18, 4)
S_PARM = _request(3, 22, PARAMETERS_BYTES)
ENUM_FRAMESIZES = _request(3, 74, FRAME_SIZE.size)
ENUM_FRAMEINTERVALS = _request(3, 75, FRAME_INTERVAL.size)
DQEVENT = _request(2, 89, EVENT_BYTES)
SUBSCRIBE_EVENT = _request(1, 90, SUBSCRIPTION.size)


def pack_output_format(shape: Shape) -> bytes:
    """`v4l2_format` of what clearcall writes: I420, BT.601 in limited range."""
    pixels = PIXELS.pack(
        shape.width,
        shape.height,
        fourcc("YU12"),
        FIELD_NONE,
        shape.width,
        shape.size,
        COLORSPACE_SRGB,
        0,
        0,
        ENCODING_601,
        QUANTIZATION_LIMITED,
        TRANSFER_709,
    )
    head = struct.pack("=I", TYPE_OUTPUT).ljust(FORMAT_OFFSET, b"\0")
    return (head + pixels).ljust(FORMAT_BYTES, b"\0")


def read_output_format(data: bytes) -> tuple[int, int, str, int]:
    """Width, height, four letters and bytes of a picture, as the device answered."""
    width, height, pixel_format, _, _, size, *_ = PIXELS.unpack_from(data, FORMAT_OFFSET)
    return width, height, letters(pixel_format), size


def pack_output_type() -> bytes:
    """The number by which an output is started."""
    return struct.pack("=I", TYPE_OUTPUT)


def pack_output_rate(rate: Fraction) -> bytes:
    """`v4l2_streamparm` of an output with that many frames a second."""
    head = struct.pack("=5I", TYPE_OUTPUT, 0x1000, 0, rate.denominator, rate.numerator)
    return head.ljust(PARAMETERS_BYTES, b"\0")


def pack_subscription(event: int) -> bytes:
    """`v4l2_event_subscription` that also tells the present state."""
    return SUBSCRIPTION.pack(event, 0, SEND_INITIAL, 0, 0, 0, 0, 0)


def read_usage(data: bytes) -> int | None:
    """How many programs read, of a `v4l2_event`; None where it is another event."""
    kind, count = struct.unpack_from("=I", data)[0], struct.unpack_from("=I", data, 8)[0]
    return int(count) if kind in CLIENT_USAGE else None
