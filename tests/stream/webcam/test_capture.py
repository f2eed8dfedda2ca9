"""The camera's thread: a camera unplugged must not end the call, and a closed one must be closed for good."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import av
import pytest

from stream.webcam import capture
from stream.webcam.capture import Capture
from stream.webcam.errors import SourceLost
from tests.stream.webcam.fakes import Clock, grey
from tests.stream.webcam.session import until


class Camera:
    """Gives frames until it is unplugged; notes when it is open."""

    def __init__(self) -> None:
        self.there = True
        self.open = 0
        self.beat = threading.Event()

    def frames(self) -> Iterator[av.VideoFrame]:
        if not self.there:
            raise SourceLost("/dev/video0 cannot be opened: no such device")
        self.open += 1
        try:
            while self.there:
                yield grey(90)
                self.beat.wait(0.005)
            raise SourceLost("/dev/video0 is gone")
        finally:
            self.open -= 1


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "RETRY_S", 0.01)


def test_unplugged_and_plugged_in_again_it_goes_on() -> None:
    camera = Camera()
    seen: list[av.VideoFrame] = []
    running = Capture(camera.frames, seen.append)
    running.want(True)
    until(lambda: len(seen) > 3)
    camera.there = False
    until(lambda: running.trouble is not None and "cannot be opened" in running.trouble)
    before = len(seen)
    camera.there = True
    until(lambda: len(seen) > before + 3)
    assert running.trouble is None
    running.want(False)
    assert camera.open == 0 and not running.running


def test_not_wanted_it_is_closed_and_wanted_again_opened() -> None:
    camera = Camera()
    seen: list[av.VideoFrame] = []
    running = Capture(camera.frames, seen.append)
    for _ in range(3):
        before = len(seen)
        running.want(True)
        running.want(True)
        until(lambda: len(seen) > before)  # noqa: B023
        assert camera.open == 1
        running.want(False)
        running.want(False)
        assert camera.open == 0


def test_whatever_a_driver_raises_it_is_tried_again() -> None:
    tries = []

    def frames() -> Iterator[av.VideoFrame]:
        tries.append(1)
        raise ValueError("a driver's own idea")

    running = Capture(frames, lambda frame: None)
    running.want(True)
    until(lambda: len(tries) > 3)
    assert running.trouble is not None and "own idea" in running.trouble
    running.want(False)
    assert running.trouble is None


def test_what_the_camera_really_delivers_is_told() -> None:
    """Many cameras halve their rate in the dark, whatever mode was chosen."""
    camera, clock = Camera(), Clock()

    def deliver(_: object) -> None:
        clock.now += 1 / 15

    running = Capture(camera.frames, deliver, clock)
    assert running.delivers() is None
    running.want(True)
    until(lambda: running.frames > capture.FPS_OVER)
    assert running.delivers() == {"width": 64, "height": 48, "format": "yuv420p", "fps": 15.0}
    camera.there = False
    until(lambda: running.trouble)
    assert running.delivers() is None
    running.want(False)
