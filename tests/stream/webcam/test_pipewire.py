"""The camera node in a real session: what another program gets, whatever happens inside."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import av
import numpy as np
import pytest

from engines.errors import ClearcallError
from stream.live import LiveFilter
from stream.webcam.capture import Capture
from stream.webcam.door import Door
from stream.webcam.output import Shape
from stream.webcam.outputs import open_output
from stream.webcam.pipewire import PipeWireCamera
from stream.webcam.wake import Wake
from tests.stream.webcam.session import Reader, Session, until

SHAPE = Shape(320, 240, Fraction(30))
CARD = 40
"""Luma in the card's corner."""


def numbered() -> Iterator[av.VideoFrame]:
    """Frames whose luma counts from 50 to 149, again and again, 30 a second."""
    for number in range(100_000):
        frame = av.VideoFrame(320, 240, "yuv420p")
        for plane, value in zip(frame.planes, (50 + number % 100, 128, 128), strict=True):
            np.frombuffer(memoryview(plane), np.uint8)[:] = value
        yield frame
        time.sleep(1 / 30)


class Brighter:
    """A filter that adds 100 to luma, until it is told to die or hang."""

    def __init__(self) -> None:
        self.deadly = threading.Event()

    def process(self, frame: av.VideoFrame) -> av.VideoFrame:
        if self.deadly.is_set():
            raise SystemExit  # not an Exception: it takes the thread with it
        changed = frame.to_ndarray()
        changed[:240] += 100
        return av.VideoFrame.from_ndarray(changed, "yuv420p")

    def figures(self) -> dict[str, object]:
        return {}


@contextmanager
def served(session: Session, run: Brighter, patch: pytest.MonkeyPatch) -> Iterator[Door]:
    """The door with that filter, in threads of this process."""
    patch.setenv("XDG_RUNTIME_DIR", session.environment["XDG_RUNTIME_DIR"])
    wake = Wake()
    live = LiveFilter(run, wake.set)
    door = Door(
        lambda: open_output("pipewire", SHAPE, wake.set), Capture(numbered, live.push), live, SHAPE, False, wake
    )
    thread = threading.Thread(target=door.run)
    thread.start()
    try:
        yield door
    finally:
        door.stop()
        thread.join(10)
        live.close()


def luma(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> int:
    return int(picture[0, 0])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_filter_killed_inside_leaves_the_camera_as_it_is(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Brighter()
    with served(session, run, monkeypatch), Reader(session, 320, 240) as reader:
        reader.until(lambda picture: luma(picture) >= 150)
        run.deadly.set()
        reader.until(lambda picture: 50 <= luma(picture) < 150)
        seen = [luma(reader.read()[1]) for _ in range(60)]
        assert all(50 <= value < 150 for value in seen)
        assert len(set(seen)) > 20, "and it goes on moving"


def test_a_reader_leaves_and_comes_back(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(session, Brighter(), monkeypatch) as door:
        assert not door.figures()["camera_open"]
        for _ in range(2):
            with Reader(session, 320, 240) as reader:
                first = luma(reader.read()[1])
                assert first == CARD or first >= 150
                reader.until(lambda picture: luma(picture) >= 150)
            until(lambda: not door.figures()["camera_open"])
            assert session.nodes() == ["clearcall"]
    assert session.nodes() == []


def test_two_readers_at_a_time(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(session, Brighter(), monkeypatch), Reader(session, 320, 240) as one, Reader(session, 320, 240) as other:
        for reader in (one, other, one):
            reader.until(lambda picture: luma(picture) >= 150)


def test_without_a_session_both_ways_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("PIPEWIRE_RUNTIME_DIR", raising=False)
    with pytest.raises(ClearcallError, match="pipewire: .* v4l2: "):
        open_output("auto", SHAPE, lambda: None)


def test_the_library_under_another_name_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    from stream.webcam import libpipewire

    with pytest.raises(ClearcallError, match="sudo apt install libpipewire-0.3-0 pipewire wireplumber"):
        libpipewire.load("libpipewire-none.so")
    with pytest.raises(ClearcallError, match="too old"):
        libpipewire.load("libc.so.6")


def test_closing_twice_is_harmless(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "XDG_RUNTIME_DIR", session.environment["XDG_RUNTIME_DIR"])
    camera = PipeWireCamera(SHAPE)
    assert not camera.has_reader()
    assert not camera.send(np.zeros((360, 320), np.uint8))
    camera.close()
    camera.close()
