"""A virtual camera, a filter and a clock whose every step a test can tell in advance."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np

from stream.webcam.errors import OutputClosed, OutputLost
from stream.webcam.output import Picture, Shape

SHAPE = Shape(64, 48, Fraction(30))


def grey(value: int) -> av.VideoFrame:
    """A frame of that luma."""
    frame = av.VideoFrame(SHAPE.width, SHAPE.height, "yuv420p")
    for plane, level in zip(frame.planes, (value, 128, 128), strict=True):
        np.frombuffer(memoryview(plane), np.uint8)[:] = level
    return frame


@dataclass
class Clock:
    """Stands still until it is moved."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class FakeOutput:
    """Notes the luma of what it is sent."""

    name: str = "fake"
    idle_interval: float | None = None
    reader: bool = False
    lost: bool = False
    takes: bool = True
    shut: bool = False
    closed: int = 0
    sent: list[int] = field(default_factory=list)

    def has_reader(self) -> bool:
        if self.lost:
            raise OutputLost("the session is gone")
        return self.reader

    def send(self, picture: Picture) -> bool:
        if self.shut:
            raise OutputClosed("the window was closed")
        self.sent.append(int(picture[0, 0]))
        return self.takes

    def close(self) -> None:
        self.closed += 1


@dataclass
class FakePipe:
    """Holds one frame."""

    frame: av.VideoFrame | None = None

    def push(self, frame: av.VideoFrame) -> None:
        self.frame = frame

    def pull(self) -> av.VideoFrame | None:
        frame, self.frame = self.frame, None
        return frame

    def figures(self) -> dict[str, object]:
        return {"fps": 30.0}


@dataclass
class FakeFilter:
    """Notes what it is told; knows two prompts."""

    told: list[object] = field(default_factory=list)

    def set_prompt(self, text: str) -> None:
        from engines.errors import BadInput

        if text not in {"auto", "noise"}:
            raise BadInput(f"unknown prompt {text!r}")
        self.told.append(text)

    def set_strength(self, value: float) -> None:
        self.told.append(value)


class Terminal(io.StringIO):
    """Says that it is one."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True
