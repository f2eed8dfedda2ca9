"""A v4l2loopback device as the virtual camera: pictures are written to it as to a file."""

from __future__ import annotations

import contextlib
import errno
import os
import select
from pathlib import Path

from engines.errors import ClearcallError
from stream.webcam import v4l2
from stream.webcam.devices import Device, Ioctl, find, ioctl_of
from stream.webcam.errors import OutputLost
from stream.webcam.output import Picture, Shape
from stream.webcam.users import users_of

CARD_INTERVAL_S = 1.0
"""The device only passes for a camera while somebody writes, and readers that come want a first picture."""
LOOK_AGAIN = 3
"""Looks at the number of openings, four a second, for one at who has the device open."""
REFERENCES = Path("/sys/module/v4l2loopback/refcnt")
SETUP = (
    "sudo apt install v4l2loopback-dkms && "
    "sudo modprobe v4l2loopback exclusive_caps=1 card_label=clearcall (Chromium needs exclusive_caps=1)"
)
TAKEN = f"is a camera, or another program writes to it or left it so: sudo modprobe -r v4l2loopback; {SETUP}"


def pick(devices: list[Device], path: str | None) -> str:
    """The device to write to: the one that was asked for, or the first loopback.

    Raises:
        ClearcallError: There is none.
    """
    if path is not None:
        return path
    # With exclusive_caps=1 a device that nobody writes to can output only.
    loopbacks = [device for device in devices if device.is_loopback]
    found = next((device.path for device in loopbacks if device.can_output), None)
    if found is None and loopbacks:
        raise ClearcallError(f"{loopbacks[0].path} {TAKEN}")
    if found is None:
        raise ClearcallError(f"no v4l2loopback device: {SETUP}")
    return found


def negotiate(ioctl: Ioctl, shape: Shape) -> None:
    """Tell an open device what will be written to it.

    Raises:
        ClearcallError: It wants something else.
        OSError: It refuses.
    """
    width, height, letters, size = v4l2.read_output_format(ioctl(v4l2.S_FMT, v4l2.pack_output_format(shape)))
    # Some versions round the size up to whole pages.
    if (width, height, letters) != (shape.width, shape.height, "YU12") or size < shape.size:
        wants = f"{width}x{height} {letters} of {size} bytes"
        raise ClearcallError(f"the device wants {wants}: another program may hold its format")
    # The rate is only a hint to readers. Modules before 0.13 take us for a writer only once we were started; else the
    # device passes for a camera for good, and nobody can write to it again. Newer ones refuse that, and do without.
    for request, data in (
        (v4l2.S_PARM, v4l2.pack_output_rate(shape.rate)),
        (v4l2.STREAM_ON, v4l2.pack_output_type()),
    ):
        with contextlib.suppress(OSError):
            ioctl(request, data)


def subscribe(ioctl: Ioctl) -> bool:
    """Ask to be told when programs come and go; False where the module is too old for that."""
    for event in v4l2.CLIENT_USAGE:
        try:
            ioctl(v4l2.SUBSCRIBE_EVENT, v4l2.pack_subscription(event))
        except OSError:
            continue
        return True
    return False


class LoopbackCamera:
    """One loopback device, held open for writing."""

    def __init__(self, shape: Shape, path: str | None = None) -> None:
        """Open the device `path`, or the first loopback.

        Raises:
            ClearcallError: There is none, or it cannot be used; the text says what to do.
        """
        path = pick([] if path else find(), path)
        self.name = f"v4l2loopback {path}"
        self._size = shape.size
        try:
            self._descriptor: int | None = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise ClearcallError(f"{path} cannot be opened: {_advice(error)}") from None
        self._ioctl = ioctl_of(self._descriptor)
        try:
            capability = v4l2.CAPABILITY.unpack(self._ioctl(v4l2.QUERYCAP, bytes(v4l2.CAPABILITY.size)))
            if not capability[4] & v4l2.CAP_OUTPUT:
                raise ClearcallError(f"{path} {TAKEN}")
            negotiate(self._ioctl, shape)
        except OSError as error:
            self.close()
            raise ClearcallError(f"{path} cannot be written to: {_advice(error)}") from None
        except ClearcallError:
            self.close()
            raise
        self._told = subscribe(self._ioctl)
        self._path, self._opened, self._looks = path, 0, 0
        self._readers = 0
        self.idle_interval: float | None = CARD_INTERVAL_S

    def has_reader(self) -> bool:
        """Whether a program takes the picture, as the module says, or else has the device open."""
        if not self._told:
            self._count_openers()
        elif self._descriptor is not None:
            poll = select.poll()
            poll.register(self._descriptor, select.POLLPRI)
            while any(event & select.POLLPRI for _, event in poll.poll(0)):
                try:
                    count = v4l2.read_usage(self._ioctl(v4l2.DQEVENT, bytes(v4l2.EVENT_BYTES)))
                except OSError:
                    break
                self._readers = self._readers if count is None else count
        return self._readers > 0

    def _count_openers(self) -> None:
        """For modules before 0.13: look who has the device open whenever the number of openings has changed.

        The module counts them for all its devices together, which costs next to nothing to read.
        """
        try:
            opened = int(REFERENCES.read_text())
        except (OSError, ValueError):
            self._readers = 1  # not to be known: as if somebody always read
            return
        self._looks += 1
        # Again now and then while somebody unknown has it open: a program may have come as another one left.
        unknown = opened > 1 and not self._readers and self._looks % LOOK_AGAIN == 0
        if opened != self._opened or unknown:
            self._opened = opened
            self._readers = len(users_of(self._path))

    def send(self, picture: Picture) -> bool:
        """Write one picture; False where the device is not ready for it."""
        if self._descriptor is None:
            return False
        try:
            return os.write(self._descriptor, picture.data) == self._size
        except BlockingIOError:
            return False
        except OSError as error:
            raise OutputLost(f"{self.name} is gone: {error.strerror}") from None

    def close(self) -> None:
        """Let go of the device."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def _advice(error: OSError) -> str:
    if error.errno in {errno.EACCES, errno.EPERM}:
        return "this user may not: sudo usermod -aG video $USER, then log in anew"
    if error.errno == errno.EBUSY:
        return "another program writes to it"
    if error.errno in {errno.ENOENT, errno.ENODEV, errno.ENXIO}:
        return f"there is no such device: {SETUP}"
    if error.errno in {errno.ENOTTY, errno.EINVAL}:
        return "it is no v4l2loopback device"
    return error.strerror or "unknown error"
