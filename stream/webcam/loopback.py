"""A v4l2loopback device as the virtual camera: pictures are written to it as to a file."""

from __future__ import annotations

import errno
import os
import select

from engines.errors import ClearcallError
from stream.webcam import v4l2
from stream.webcam.devices import Device, Ioctl, find, ioctl_of
from stream.webcam.errors import OutputLost
from stream.webcam.output import Picture, Shape

CARD_INTERVAL_S = 1.0
"""The device only passes for a camera while somebody writes, and readers that come want a first picture."""
SETUP = (
    "sudo apt install v4l2loopback-dkms && "
    "sudo modprobe v4l2loopback exclusive_caps=1 card_label=clearcall (Chromium needs exclusive_caps=1)"
)


def pick(devices: list[Device], path: str | None) -> str:
    """The device to write to: the one that was asked for, or the first loopback.

    Raises:
        ClearcallError: There is none.
    """
    if path is not None:
        return path
    # With exclusive_caps=1 a device that nobody writes to can output only.
    found = next((device.path for device in devices if device.is_loopback and device.can_output), None)
    if found is None:
        raise ClearcallError(f"no v4l2loopback device: {SETUP}")
    return found


def negotiate(ioctl: Ioctl, shape: Shape) -> None:
    """Tell an open device what will be written to it.

    Raises:
        ClearcallError: It wants something else.
        OSError: It refuses.
    """
    answer = v4l2.read_output_format(ioctl(v4l2.S_FMT, v4l2.pack_output_format(shape)))
    if answer != (shape.width, shape.height, "YU12", shape.size):
        width, height, letters, _ = answer
        raise ClearcallError(f"the device wants {width}x{height} {letters}: another program may hold its format")
    try:
        ioctl(v4l2.S_PARM, v4l2.pack_output_rate(shape.rate))
    except OSError:
        pass  # only a hint to readers


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
                raise ClearcallError(f"{path} is a camera or in use, nothing can be written to it: {SETUP}")
            negotiate(self._ioctl, shape)
        except OSError as error:
            self.close()
            raise ClearcallError(f"{path} cannot be written to: {_advice(error)}") from None
        except ClearcallError:
            self.close()
            raise
        self._told = subscribe(self._ioctl)
        self._readers = 0 if self._told else 1
        self.idle_interval: float | None = CARD_INTERVAL_S

    @property
    def knows_readers(self) -> bool:
        """Whether the module tells of readers; otherwise the camera stays open all the time."""
        return self._told

    def has_reader(self) -> bool:
        """Whether a program takes the picture, as far as the module says."""
        if self._told and self._descriptor is not None:
            poll = select.poll()
            poll.register(self._descriptor, select.POLLPRI)
            while any(event & select.POLLPRI for _, event in poll.poll(0)):
                try:
                    count = v4l2.read_usage(self._ioctl(v4l2.DQEVENT, bytes(v4l2.EVENT_BYTES)))
                except OSError:
                    break
                self._readers = self._readers if count is None else count
        return self._readers > 0

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
