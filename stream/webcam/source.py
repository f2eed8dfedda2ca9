"""Frames from what `--input` named: a camera, a film in a loop, a still picture that sways, or a network address."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

import av
from av.container import InputContainer

from engines.errors import BadInput
from stream.frames.pixels import copy_frame
from stream.webcam import still
from stream.webcam.errors import SourceLost
from stream.webcam.modes import Mode
from stream.webcam.users import users_of

Kind = Literal["v4l2", "avfoundation", "dshow", "file", "still", "url"]
TIMEOUT_S = 5.0
"""For a network address that does not answer, and a camera that gives nothing."""
AGAIN_S = 0.002
"""Between two looks at a camera that has no frame yet."""
LONE_S = 0.1
"""For how long the only frame of a file is shown before it is read again."""
LIVE = ("rtsp", "rtmp", "rtp", "srt", "udp", "tcp")
"""Addresses that come at their own pace; others are read as files are."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What `--input` named."""

    kind: Kind
    name: str
    """Device, file or address, as PyAV opens it."""
    mode: Mode | None = None
    """How the camera is asked to deliver."""
    options: dict[str, str] = field(default_factory=dict)
    """FFmpeg's options for the device."""
    card: str = ""
    """What the camera calls itself, by which it is found again under another number."""

    def __str__(self) -> str:
        return f"{self.name}, {self.mode}" if self.mode else self.name

    @property
    def is_file(self) -> bool:
        """Whether it has to be held to its own pace, and starts anew at its end."""
        return self.kind == "file" or (self.kind == "url" and self.name.split(":")[0].lower() not in LIVE)

    @property
    def lends(self) -> bool:
        """Whether frames lie in the driver's own memory, which is gone once the camera is closed or unplugged."""
        return self.kind == "v4l2" and (self.mode is None or self.mode.pixel_format != "MJPG")


def probe(origin: Origin) -> tuple[int, int, Fraction] | None:
    """Width, height and frames a second of what will come; None where only opening the camera would tell.

    Raises:
        BadInput: The file or address cannot be read.
    """
    try:
        if origin.mode is not None:
            if origin.kind == "still":
                still.frames(origin.name, origin.mode)
            return origin.mode.width, origin.mode.height, origin.mode.rate
        if origin.kind not in {"file", "url"}:
            return None
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
        return f"it is in use by {busy(origin) or f'another user (sudo fuser -v {origin.name} tells by what)'}"
    return text


def busy(origin: Origin) -> str:
    """The programs that have the camera open, as far as this user may see; empty where there is none."""
    return ", ".join(users_of(origin.name)) if origin.kind == "v4l2" else ""


def frames(
    origin: Origin,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[av.VideoFrame]:
    """Frames as they come; of a file again and again, at its own pace.

    Raises:
        SourceLost: The source went away, or gives no picture.
    """
    if origin.kind == "still" and origin.mode is not None:
        yield from _paced(still.frames(origin.name, origin.mode), clock, sleep)
        return
    while True:
        began, seen = clock(), 0
        with open_container(origin) as container:
            try:
                for frame in _decoded(container, origin.lends, clock, sleep):
                    if origin.is_file and frame.time is not None:
                        sleep(max(0.0, began + frame.time - clock()))
                    seen += 1
                    yield frame
            except (OSError, av.FFmpegError) as error:
                if not seen or not origin.is_file:
                    raise SourceLost(f"{origin.name} is gone: {_reason(error, origin)}") from None
        if not seen or not origin.is_file:
            raise SourceLost(f"{origin.name} gives no picture")
        if seen == 1:
            sleep(LONE_S)


def _paced(
    frames: Iterator[av.VideoFrame], clock: Callable[[], float], sleep: Callable[[float], object]
) -> Iterator[av.VideoFrame]:
    """Each frame when it is due by its own time."""
    began = clock()
    for frame in frames:
        sleep(max(0.0, began + (frame.time or 0.0) - clock()))
        yield frame


def _decoded(
    container: InputContainer, lent: bool, clock: Callable[[], float], sleep: Callable[[float], object]
) -> Iterator[av.VideoFrame]:
    """Frames as they come, as copies where their memory is only lent.

    FFmpeg's avfoundation does not wait for a frame: it says "try again" until there is one.
    """
    heard = clock()
    while True:
        try:
            for frame in container.decode(container.streams.video[0]):
                heard = clock()
                own = copy_frame(frame) if lent else frame
                # Nothing may hold on to what was lent once the camera is closed.
                del frame
                yield own
            return
        except BlockingIOError:
            if clock() - heard > TIMEOUT_S:
                raise
            sleep(AGAIN_S)
