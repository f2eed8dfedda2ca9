"""The machine's video devices: what they are and in which modes they deliver."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path

from stream.webcam import v4l2
from stream.webcam.modes import FORMATS, Mode

LOOPBACK_DRIVER = "v4l2 loopback"
USUAL_SIZES = ((1280, 720), (640, 480), (1920, 1080))
USUAL_RATES = (Fraction(30), Fraction(15), Fraction(60))
"""Asked for where a device gives bounds instead of a list."""
MOST = 128
"""Entries of one list; a driver that never ends must not hold us up."""
MOST_MODES = 2048

Ioctl = Callable[[int, bytes], bytes]
"""Request number and structure in, structure out; OSError where the device refuses."""


@dataclass(frozen=True, slots=True)
class Device:
    """One `/dev/videoN`."""

    path: str
    name: str
    driver: str
    can_capture: bool
    can_output: bool
    modes: tuple[Mode, ...] = field(default=())

    @property
    def is_loopback(self) -> bool:
        """Whether it is a v4l2loopback device, which is no camera."""
        return self.driver == LOOPBACK_DRIVER


@contextmanager
def opened(path: str) -> Iterator[tuple[int, Ioctl]]:
    """The device's file descriptor and a function to ask it; OSError where it cannot be opened."""
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        yield descriptor, ioctl_of(descriptor)
    finally:
        os.close(descriptor)


def ioctl_of(descriptor: int) -> Ioctl:
    """Questions to an open device."""
    import fcntl  # not on Windows

    def ask(request: int, structure: bytes) -> bytes:
        memory = bytearray(structure)
        fcntl.ioctl(descriptor, request, memory)
        return bytes(memory)

    return ask


def find(folder: Path = Path("/dev")) -> list[Device]:
    """All video devices that this user may open, in the order of their numbers."""
    found = []
    for path in paths(folder):
        try:
            with opened(path) as (_, ioctl):
                found.append(examine(path, ioctl))
        except OSError:
            continue
    return found


def paths(folder: Path = Path("/dev")) -> list[str]:
    """`/dev/video0` and so on."""
    names = (match for path in folder.glob("video*") if (match := re.fullmatch(r"video(\d+)", path.name)))
    return [str(folder / match[0]) for match in sorted(names, key=lambda match: int(match[1]))]


def examine(path: str, ioctl: Ioctl) -> Device:
    """Ask an open device what it is; OSError where it is no video device."""
    driver, card, _, _, capabilities, own, *_ = v4l2.CAPABILITY.unpack(
        ioctl(v4l2.QUERYCAP, bytes(v4l2.CAPABILITY.size))
    )
    if capabilities & v4l2.CAP_DEVICE_CAPS:
        capabilities = own
    captures = bool(capabilities & v4l2.CAP_CAPTURE and capabilities & v4l2.CAP_STREAMING)
    modes = tuple(islice(_modes(ioctl), MOST_MODES)) if captures else ()
    output = bool(capabilities & v4l2.CAP_OUTPUT)
    # Next to each camera there is a device for its metadata, which captures no picture.
    return Device(path, _text(card), _text(driver), captures and bool(modes), output, modes)


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("utf-8", "replace")


def _listed(ioctl: Ioctl, request: int, size: int, *question: int) -> Iterator[bytes]:
    """The entries of one of V4L2's lists: asked by index until the device says that there are no more."""
    for index in range(MOST):
        words = (index, *question)
        structure = b"".join(word.to_bytes(4, "little") for word in words).ljust(size, b"\0")
        try:
            yield ioctl(request, structure)
        except OSError as error:
            if error.errno in {errno.EINVAL, errno.ENOTTY, errno.ENODATA}:
                return
            raise


def _modes(ioctl: Ioctl) -> Iterator[Mode]:
    for entry in _listed(ioctl, v4l2.ENUM_FMT, v4l2.FORMAT_DESCRIPTION.size, v4l2.TYPE_CAPTURE):
        number = v4l2.FORMAT_DESCRIPTION.unpack(entry)[4]
        if v4l2.letters(number) not in FORMATS:
            continue
        for width, height in _sizes(ioctl, number):
            for rate in _rates(ioctl, number, width, height):
                yield Mode(v4l2.letters(number), width, height, rate)


def _sizes(ioctl: Ioctl, number: int) -> Iterator[tuple[int, int]]:
    for entry in _listed(ioctl, v4l2.ENUM_FRAMESIZES, v4l2.FRAME_SIZE.size, number):
        _, _, kind, *values = v4l2.FRAME_SIZE.unpack(entry)
        if kind == v4l2.DISCRETE:
            yield values[0], values[1]
            continue
        yield from stepped_sizes(values[:6])
        return


def stepped_sizes(bounds: Iterable[int]) -> list[tuple[int, int]]:
    """The usual sizes as near as the bounds allow: least, most and step of the width, then of the height."""
    left, right, dx, low, high, dy = bounds
    sizes = [(_stepped(width, left, right, dx), _stepped(height, low, high, dy)) for width, height in USUAL_SIZES]
    return list(dict.fromkeys(sizes))


def _stepped(value: int, low: int, high: int, step: int) -> int:
    return low + (max(low, min(high, value)) - low) // max(1, step) * max(1, step)


def _rates(ioctl: Ioctl, number: int, width: int, height: int) -> Iterator[Fraction]:
    for entry in _listed(ioctl, v4l2.ENUM_FRAMEINTERVALS, v4l2.FRAME_INTERVAL.size, number, width, height):
        values = v4l2.FRAME_INTERVAL.unpack(entry)
        kind, numbers = values[4], values[5:]
        if not all(numbers[: 2 if kind == v4l2.DISCRETE else 4]):
            continue
        if kind == v4l2.DISCRETE:
            yield Fraction(numbers[1], numbers[0])
            continue
        slowest, fastest = Fraction(numbers[3], numbers[2]), Fraction(numbers[1], numbers[0])
        yield from dict.fromkeys(max(slowest, min(fastest, rate)) for rate in USUAL_RATES)
        return
