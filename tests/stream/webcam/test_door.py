"""The loop: the camera must be closed while nobody looks, and a reader must never be left without a picture."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import av
import pytest

from engines.errors import ClearcallError
from stream.webcam.capture import Capture
from stream.webcam.card import BACKGROUND
from stream.webcam.door import ASK_WAIT_S, CARD_AFTER_S, IDLE_WAIT_S, Door
from stream.webcam.output import Output
from stream.webcam.presence import LINGER_S
from stream.webcam.wake import Wake
from tests.stream.webcam.fakes import SHAPE, Clock, FakeOutput, FakePipe, grey


class Stage:
    """A door with everything around it faked, the camera's thread too: it blocks until the camera is closed."""

    def __init__(self, output: FakeOutput | None = None) -> None:
        self.output, self.pipe, self.clock, self.wake = output or FakeOutput(), FakePipe(), Clock(), Wake()
        self.opened: list[Output] = []
        self.broken = False
        self.ended = threading.Event()
        self.capture = Capture(self._frames, self.pipe.push)
        self.door = Door(self._open, self.capture, self.pipe, SHAPE, False, self.wake, self.clock)

    def _frames(self) -> Iterator[av.VideoFrame]:
        self.ended.wait(30)
        return iter(())

    def _open(self) -> Output:
        if self.broken:
            raise ClearcallError("no session")
        self.opened.append(self.output)
        return self.output

    def turn(self, seconds: float = 0.0) -> float:
        self.clock.now += seconds
        return self.door.turn()

    def end(self) -> None:
        self.ended.set()
        self.capture.want(False)


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.end()


def test_nobody_looks_nothing_is_sent_and_the_camera_stays_closed(stage: Stage) -> None:
    assert stage.turn() == IDLE_WAIT_S
    assert not stage.capture.running and stage.output.sent == []


def test_a_reader_gets_the_card_at_once_then_the_camera(stage: Stage) -> None:
    stage.output.reader = True
    stage.turn()
    assert stage.capture.running and stage.output.sent == [BACKGROUND]
    stage.pipe.push(grey(90))
    stage.turn(SHAPE.interval)
    assert stage.output.sent == [BACKGROUND, 90]


def test_a_frame_that_waits_for_its_beat_is_sent_at_it(stage: Stage) -> None:
    stage.output.reader = True
    stage.turn()
    stage.pipe.push(grey(90))
    wait = stage.turn(0.01)
    assert stage.output.sent == [BACKGROUND] and 0 < wait < SHAPE.interval
    stage.turn(wait)
    assert stage.output.sent == [BACKGROUND, 90]


def test_a_late_frame_is_made_up_for_by_the_last_then_by_the_card(stage: Stage) -> None:
    stage.output.reader = True
    stage.pipe.push(grey(90))
    stage.turn()
    for _ in range(int((CARD_AFTER_S + 1) / SHAPE.interval)):
        stage.turn(stage.turn())
    assert set(stage.output.sent) == {90, BACKGROUND}
    assert stage.output.sent[-1] == BACKGROUND and stage.output.sent.index(BACKGROUND) > 20


def test_the_reader_leaves_and_the_camera_closes_after_a_while(stage: Stage) -> None:
    stage.output.reader = True
    stage.turn()
    stage.output.reader = False
    stage.ended.set()
    stage.turn(0.1)
    assert stage.capture.running
    stage.turn(LINGER_S)
    assert not stage.capture.running


def test_a_picture_from_before_is_not_shown_to_the_next_reader(stage: Stage) -> None:
    stage.output.reader = True
    stage.pipe.push(grey(90))
    stage.turn()
    stage.output.reader = False
    stage.pipe.push(grey(91))
    stage.turn(0.1)
    stage.output.reader = True
    stage.turn(0.1)
    assert stage.output.sent == [90, BACKGROUND]


def test_an_output_that_needs_it_gets_the_card_while_nobody_looks() -> None:
    stage = Stage(FakeOutput(idle_interval=1.0))
    assert [stage.turn(0.25) for _ in range(9)] == [ASK_WAIT_S] * 9
    assert stage.output.sent == [BACKGROUND] * 3
    stage.end()


def test_a_session_that_ends_is_waited_for(stage: Stage) -> None:
    stage.turn()
    stage.output.lost = stage.broken = True
    stage.turn(1.0)
    assert stage.output.closed == 1
    for _ in range(3):
        stage.turn(1.0)
    assert stage.door.figures()["trouble"] == "no session"
    stage.output.lost = stage.broken = False
    stage.output.reader = True
    stage.turn(1.0)
    assert len(stage.opened) == 2 and stage.output.sent == [BACKGROUND]
    assert stage.door.figures()["trouble"] is None


def test_pictures_that_are_not_taken_are_counted(stage: Stage) -> None:
    stage.output.reader, stage.output.takes = True, False
    stage.turn()
    assert stage.door.figures()["not_taken"] == 1


def test_stop_ends_it_and_the_virtual_camera_goes(stage: Stage) -> None:
    thread = threading.Thread(target=stage.door.run)
    thread.start()
    stage.door.stop()
    thread.join(10)
    assert not thread.is_alive() and stage.output.closed == 1


def test_a_preview_that_is_closed_ends_it() -> None:
    """It was opened anew one second later."""
    stage = Stage(FakeOutput(reader=True, shut=True))
    thread = threading.Thread(target=stage.door.run)
    stage.ended.set()
    thread.start()
    thread.join(10)
    assert not thread.is_alive() and stage.output.closed == 1 and len(stage.opened) == 1
