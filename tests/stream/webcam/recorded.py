"""Devices as they answer V4L2's questions: lists as `v4l2-ctl --list-formats-ext` shows them, played back as ioctls."""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass, field
from typing import TypeVar

from stream.webcam import v4l2

T = TypeVar("T")
Sizes = dict[tuple[int, int], list[tuple[int, int]]] | tuple[int, ...]
"""Size to intervals as fractions of a second; or least, most and step of width and height."""


@dataclass
class Recorded:
    """One device; usable as an `Ioctl`."""

    driver: str = "uvcvideo"
    card: str = "Integrated Camera"
    capabilities: int = v4l2.CAP_CAPTURE | v4l2.CAP_STREAMING
    formats: dict[str, Sizes] = field(default_factory=dict)
    intervals: tuple[int, ...] = ()
    """Least, most and step, each a fraction, where sizes are bounds."""
    asked: list[int] = field(default_factory=list)

    def __call__(self, request: int, data: bytes) -> bytes:
        self.asked.append(request)
        if request == v4l2.QUERYCAP:
            every = self.capabilities | v4l2.CAP_DEVICE_CAPS | 0xFFFF
            return v4l2.CAPABILITY.pack(
                self.driver.encode(), self.card.encode(), b"usb-1", 0x60100, every, self.capabilities, 0, 0, 0
            )
        index, first = struct.unpack_from("=II", data)
        if request == v4l2.ENUM_FMT:
            name = self._pick(list(self.formats), index)
            return v4l2.FORMAT_DESCRIPTION.pack(index, first, 0, b"", v4l2.fourcc(name), 0, 0, 0, 0)
        sizes = self.formats[v4l2.letters(first)]
        if request == v4l2.ENUM_FRAMESIZES:
            if isinstance(sizes, tuple):
                return v4l2.FRAME_SIZE.pack(index, first, 3, *sizes, 0, 0)
            return v4l2.FRAME_SIZE.pack(index, first, 1, *self._pick(list(sizes), index), 0, 0, 0, 0, 0, 0)
        assert request == v4l2.ENUM_FRAMEINTERVALS
        width, height = struct.unpack_from("=II", data, 8)
        if isinstance(sizes, tuple):
            return v4l2.FRAME_INTERVAL.pack(index, first, width, height, 3, *self.intervals, 0, 0)
        pair = self._pick(sizes[width, height], index)
        return v4l2.FRAME_INTERVAL.pack(index, first, width, height, 1, *pair, 0, 0, 0, 0, 0, 0)

    @staticmethod
    def _pick(entries: list[T], index: int) -> T:
        if index >= len(entries):
            raise OSError(errno.EINVAL, "no more")
        return entries[index]


LAPTOP = Recorded(
    formats={
        "MJPG": {(1280, 720): [(1, 30)], (640, 480): [(1, 30)], (1920, 1080): [(1, 30)]},
        "YUYV": {(640, 480): [(1, 30), (1, 15)], (1280, 720): [(1, 10)]},
        "H264": {(1920, 1080): [(1, 30)]},
    }
)
METADATA = Recorded(capabilities=0x04A00000)
"""What stands next to each camera of the uvcvideo driver."""
STEPPED = Recorded(
    driver="vendor", card="Camera module", formats={"YU12": (32, 2592, 2, 32, 1944, 2)}, intervals=(1, 90, 1, 1, 1, 1)
)
LOOPBACK = Recorded(driver="v4l2 loopback", card="clearcall", capabilities=v4l2.CAP_OUTPUT | v4l2.CAP_STREAMING)
