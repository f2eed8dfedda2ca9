"""Where frames come from: a camera, a file in a loop, or a network address; all through PyAV."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal, cast

import av
from av.container import InputContainer

from engines.errors import BadInput
from stream.webcam import devices
from stream.webcam.errors import SourceLost
from stream.webcam.modes import FORMATS, Mode, choose
from stream.webcam.users import users_of

Kind = Literal["v4l2", "avfoundation", "dshow", "file", "url"]
TIMEOUT_S = 5.0
"""For a network address that does not answer."""
LIVE = ("rtsp", "rtmp", "rtp", "srt", "udp", "tcp")
"""Addresses that come at their own pace; others are read as files are."""
SYSTEMS = {"v4l2": "Linux", "avfoundation": "macOS", "dshow": "Windows"}


@dataclass(frozen=True, slots=True)
class Origin:
    """What `--input` named."""

    kind: Kind
    name: str
    """Device, file or address, as PyAV opens it."""
    mode: Mode | None = None
    """How a V4L2 camera is asked to deliver."""
    options: dict[str, str] = field(default_factory=dict)
    """FFmpeg's options for the device."""

    def __str__(self) -> str:
        return f"{self.name}, {self.mode}" if self.mode else self.name

    @property
    def is_file(self) -> bool:
        """Whether it has to be held to its own pace, and starts anew at its end."""
        return self.kind == "file" or (self.kind == "url" and self.name.split(":")[0].lower() not in LIVE)


def locate(
    text: str,
    width: int,
    height: int,
    rate: Fraction,
    find: Callable[[], list[devices.Device]] = devices.find,
    formats: frozenset[str] | None = None,
    platform: str = sys.platform,
) -> Origin:
    """Find out what `--input` means; opens no camera, so that no light goes on.

    Raises:
        BadInput: There is no such thing; the text says what there is.
    """
    available = _formats() if formats is None else formats
    kind, _, name = text.partition(":")
    if kind in {"avfoundation", "dshow"} and name:
        if kind not in available:
            raise BadInput(f"--input {kind}:… is for {SYSTEMS[kind]}")
        size = {"video_size": f"{width}x{height}", "framerate": f"{float(rate):g}"}
        name = f"video={name}" if kind == "dshow" else f"{name}:none"
        return Origin(cast(Kind, kind), name, options=size)
    if "://" in text:
        return Origin("url", text)
    if text == "auto" or text.startswith("/dev/video"):
        if not platform.startswith("linux"):
            raise BadInput("name the camera: --input avfoundation:NAME on macOS, --input dshow:NAME on Windows")
        return _camera(None if text == "auto" else text, find(), width, height, rate)
    if not Path(text).is_file():
        raise BadInput(f"--input {text}: no such file or camera (clearcall webcam --list shows the cameras)")
    return Origin("file", text)


def _formats() -> frozenset[str]:
    return frozenset(name for names in av.formats_available for name in names.split(","))


def _camera(path: str | None, found: list[devices.Device], width: int, height: int, rate: Fraction) -> Origin:
    cameras = [device for device in found if device.can_capture and (not device.is_loopback or device.path == path)]
    if path is None and not cameras:
        raise BadInput("no camera is there: plug one in, or try --input FILE (clearcall webcam --list tells more)")
    device = next((device for device in cameras if path in {None, device.path}), None)
    if path is not None and not Path(path).exists():
        raise BadInput(f"--input {path}: no such camera (clearcall webcam --list shows which there are)")
    if device is None:
        raise BadInput(f"--input {path} cannot be used: it is no camera, or this user may not open it")
    mode = choose(device.modes, width, height, rate)
    if mode is None:
        raise BadInput(f"--input {device.path} offers no picture format that clearcall reads")
    options = {
        "video_size": f"{mode.width}x{mode.height}",
        "framerate": str(mode.rate),
        "input_format": FORMATS[mode.pixel_format],
    }
    return Origin("v4l2", device.path, mode, options)


def probe(origin: Origin) -> tuple[int, int, Fraction] | None:
    """Width, height and frames a second of what will come; None where only opening the camera would tell.

    Raises:
        BadInput: The file or address cannot be read.
    """
    if origin.mode is not None:
        return origin.mode.width, origin.mode.height, origin.mode.rate
    if origin.kind not in {"file", "url"}:
        return None
    try:
        with open_container(origin) as container:
            stream = container.streams.video[0]
            return stream.width, stream.height, stream.average_rate or Fraction(30)
    except SourceLost as error:
        raise BadInput(f"--input {error}") from None


def open_container(origin: Origin) -> InputContainer:
    """Open what was located.

    Raises:
        SourceLost: It cannot be opened, or has no picture; a busy camera is named with who has it.
    """
    form = None if origin.kind in {"file", "url"} else origin.kind
    timeout = TIMEOUT_S if origin.kind == "url" else None
    try:
        container = av.open(origin.name, format=form, options=dict(origin.options), timeout=timeout)
    except (OSError, av.FFmpegError) as error:
        raise SourceLost(f"{origin.name} cannot be opened: {_reason(error, origin)}") from None
    if not container.streams.video:
        container.close()
        raise SourceLost(f"{origin.name} has no picture")
    return container


def _reason(error: Exception, origin: Origin) -> str:
    text = getattr(error, "strerror", None) or str(error)
    if origin.kind == "v4l2" and "busy" in text.lower():
        users = ", ".join(users_of(origin.name))
        return f"it is in use{f' by {users}' if users else ''}"
    return text


def frames(
    origin: Origin,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[av.VideoFrame]:
    """Frames as they come; of a file again and again, at its own pace.

    Raises:
        SourceLost: The source went away, or gives no picture.
    """
    while True:
        began, seen = clock(), 0
        with open_container(origin) as container:
            try:
                for frame in container.decode(container.streams.video[0]):
                    if origin.is_file and frame.time is not None:
                        sleep(max(0.0, began + frame.time - clock()))
                    seen += 1
                    yield frame
            except (OSError, av.FFmpegError) as error:
                if not seen or not origin.is_file:
                    raise SourceLost(f"{origin.name} is gone: {_reason(error, origin)}") from None
        if not seen or not origin.is_file:
            raise SourceLost(f"{origin.name} gives no picture")
