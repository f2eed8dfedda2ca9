"""The filter in its thread: nothing queues, nothing is lost without a count, nothing ends the picture."""

from __future__ import annotations

import gc
import random
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stream import live as live_module
from stream.live import PATIENCE_S, RECENT, Done, LiveFilter, is_stalled

TIMEOUT_S = 20


class Frame:
    """Any object will do for a frame."""

    def __init__(self, number: int = 0) -> None:
        self.number = number


class Clock:
    """Seconds, set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Gate:
    """A filter that holds each frame until it is let through; its outputs are new frames."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.opened = threading.Semaphore(0)
        self.seen: list[int] = []
        self.error: Exception | None = None

    def process(self, frame: Any) -> Any:
        self.seen.append(frame.number)
        self.entered.release()
        assert self.opened.acquire(timeout=TIMEOUT_S)
        if self.error is not None:
            raise self.error
        return Frame(frame.number + 1000)

    def figures(self) -> dict[str, object]:
        return {"own": len(self.seen)}


class Stand:
    """A live filter round a gate, and what came out of it."""

    def __init__(self, fetch: bool = True) -> None:
        self.gate, self.clock, self.fetch = Gate(), Clock(), fetch
        self.out: list[Any] = []
        self.told = threading.Semaphore(0)
        self.live = LiveFilter(self.gate, self._on_output, self.clock)

    def _on_output(self) -> None:
        if self.fetch:
            self.out.append(self.live.pull())
        self.told.release()

    def push(self, *numbers: int) -> None:
        for number in numbers:
            self.live.push(Frame(number))  # type: ignore[arg-type]

    def enter(self) -> None:
        """Wait until the filter is at a frame."""
        assert self.gate.entered.acquire(timeout=TIMEOUT_S)

    def release(self) -> None:
        """Let it finish that frame, and wait for the output."""
        self.gate.opened.release()
        assert self.told.acquire(timeout=TIMEOUT_S)

    def numbers(self) -> list[int]:
        return [frame.number for frame in self.out]

    def dropped(self) -> dict[str, int]:
        dropped = self.live.figures()["dropped"]
        assert isinstance(dropped, dict)
        return dropped

    def end(self) -> None:
        for _ in range(10):
            self.gate.opened.release()
        self.live.close()


Make = Callable[..., Stand]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Stand] = []

    def make_one(fetch: bool = True) -> Stand:
        made.append(Stand(fetch))
        return made[-1]

    yield make_one
    for stand in made:
        stand.end()


def test_a_frame_goes_through(make: Make) -> None:
    stand = make()
    assert stand.live.pull() is None
    stand.push(1)
    stand.enter()
    assert stand.numbers() == []
    stand.release()
    assert stand.numbers() == [1001] and stand.live.pull() is None


def test_a_busy_filter_gets_the_newest_frame_next(make: Make) -> None:
    # Guards against a delay that grows as long as the call lasts.
    stand = make()
    stand.push(1)
    stand.enter()
    stand.push(2, 3, 4)
    stand.release()
    stand.enter()
    stand.release()
    assert stand.gate.seen == [1, 4] and stand.numbers() == [1001, 1004]
    assert stand.dropped() == {"filter_busy": 2, "not_fetched": 0, "overtaken": 0}


def test_an_output_that_nobody_fetched_gives_way(make: Make) -> None:
    stand = make(fetch=False)
    for number in (1, 2):
        stand.push(number)
        stand.enter()
        stand.release()
    newest: Any = stand.live.pull()
    assert newest.number == 1002 and stand.live.pull() is None
    assert stand.dropped() == {"filter_busy": 0, "not_fetched": 1, "overtaken": 0}


@pytest.mark.parametrize(
    ("began", "now", "stalled"),
    [(None, 1e9, False), (10.0, 10.0, False), (10.0, 10.0 + PATIENCE_S, False), (10.0, 10.01 + PATIENCE_S, True)],
)
def test_when_a_filter_counts_as_stalled(began: float | None, now: float, stalled: bool) -> None:
    assert is_stalled(began, now) == stalled


def test_frames_go_past_a_stalled_filter_and_never_back_in_time(make: Make) -> None:
    # Guards against a picture that freezes while the engine hangs, and one that jumps back when it wakes.
    stand = make()
    stand.push(1)
    stand.enter()
    stand.clock.now += 0.1
    stand.push(2)
    stand.clock.now += PATIENCE_S
    stand.push(3, 4)
    assert stand.numbers() == [3, 4]
    assert stand.live.figures()["bypassed"] == 2
    # The filter wakes: what it was at, and what waited, are older than what was shown.
    stand.gate.opened.release()
    stand.enter()
    stand.push(5)
    stand.gate.opened.release()
    stand.enter()
    for _ in range(2):
        assert stand.told.acquire(timeout=TIMEOUT_S)
    stand.release()
    assert stand.gate.seen == [1, 2, 5] and stand.numbers() == [3, 4, 1005]
    assert stand.dropped() == {"filter_busy": 0, "not_fetched": 0, "overtaken": 2}


def test_a_filter_that_raises_lets_the_frame_pass(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    stand = make()
    stand.gate.error = ValueError("broken")
    stand.push(1)
    stand.enter()
    stand.release()
    stand.gate.error = None
    stand.push(2)
    stand.enter()
    stand.release()
    assert stand.numbers() == [1, 1002] and "the filter failed" in caplog.text


def test_a_listener_that_raises_does_not_end_the_picture(caplog: pytest.LogCaptureFixture) -> None:
    # Guards against a loop that closes while a frame is under way: the filter's thread died of it.
    gate, told = Gate(), threading.Semaphore(0)

    def fail() -> None:
        told.release()
        raise RuntimeError("Event loop is closed")

    live = LiveFilter(gate, fail)
    for number in (1, 2):
        live.push(Frame(number))  # type: ignore[arg-type]
        gate.opened.release()
        assert told.acquire(timeout=TIMEOUT_S)
    got: Any = live.pull()
    assert got.number == 1002
    live.close()
    assert "not announced" in caplog.text


def test_without_a_listener() -> None:
    gate = Gate()
    live = LiveFilter(gate)
    live.push(Frame(1))  # type: ignore[arg-type]
    assert gate.entered.acquire(timeout=TIMEOUT_S)
    gate.opened.release()
    live.close()
    assert live.figures()["dropped"] == {"filter_busy": 0, "not_fetched": 1, "overtaken": 0}


def test_figures(make: Make) -> None:
    stand = make()
    for number in range(5):
        stand.push(number)
        stand.enter()
        stand.clock.now += 0.02
        stand.release()
        stand.clock.now += 0.03
    figures = stand.live.figures()
    assert figures["own"] == 5 and figures["fps"] == pytest.approx(20)
    assert figures["added_ms"] == {"median": pytest.approx(20, rel=0.03), "p95": pytest.approx(20, rel=0.03)}
    assert make().live.figures()["fps"] == 0.0


def test_the_delay_shown_is_the_recent_one(make: Make) -> None:
    # Guards against a call's start standing in its figures an hour later.
    stand = make()
    for number in range(2 * RECENT + 1):
        stand.push(number)
        stand.enter()
        stand.clock.now += 1.0 if number == 0 else 0.01
        stand.release()
    added = stand.live.figures()["added_ms"]
    assert isinstance(added, dict) and added["p95"] < 15


def test_the_end_comes_once_and_leaves_the_figures(make: Make) -> None:
    stand = make(fetch=False)
    stand.push(1)
    stand.enter()
    stand.push(2)
    stand.gate.opened.release()
    stand.enter()
    stand.gate.opened.release()
    for _ in range(2):
        stand.live.close()
    assert not stand.live._thread.is_alive()
    stand.push(3)
    assert stand.live.pull() is None
    figures = stand.live.figures()
    assert figures["own"] == 2
    assert figures["dropped"] == {"filter_busy": 1, "not_fetched": 2, "overtaken": 0}
    assert stand.live.figures() == figures


def test_a_filter_that_never_returns_does_not_hold_up_the_end(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "CLOSE_TIMEOUT_S", 0.0)
    stand = make()
    stand.push(1)
    stand.enter()
    stand.live.close()
    assert stand.live._thread.is_alive() and stand.live.pull() is None
    # Should it return after all, its frame counts, and nobody is told of it.
    stand.gate.opened.release()
    stand.live._thread.join(TIMEOUT_S)
    assert stand.out == [] and sum(stand.dropped().values()) == 1


def test_every_frame_is_pulled_or_counted() -> None:
    # Guards against frames that vanish between the threads, or are counted twice.
    class Uneven:
        def process(self, frame: Any) -> Any:
            for _ in range(random.Random(frame.number).randrange(3000)):
                pass
            return frame

        def figures(self) -> dict[str, object]:
            return {}

    # A clock that jumps, so that frames also go past the filter.
    hand = random.Random(0)
    clock = Clock()

    def ticking() -> float:
        clock.now += hand.choice((0.0, 0.0, 0.0, 0.3))
        return clock.now

    live = LiveFilter(Uneven(), None, ticking)
    pulled: list[int] = []
    done = threading.Event()

    def pull() -> None:
        while not done.is_set():
            frame: Any = live.pull()
            if frame is not None:
                pulled.append(frame.number)

    def push(start: int) -> None:
        for number in range(start, start + 400):
            live.push(Frame(number))  # type: ignore[arg-type]

    puller = threading.Thread(target=pull)
    pushers = [threading.Thread(target=push, args=(start,)) for start in (0, 1000)]
    for thread in (puller, *pushers):
        thread.start()
    for thread in pushers:
        thread.join(TIMEOUT_S)
    live.close()
    done.set()
    puller.join(TIMEOUT_S)
    dropped = live.figures()["dropped"]
    assert isinstance(dropped, dict)
    assert len(pulled) + sum(dropped.values()) == 800 and len(set(pulled)) == len(pulled)
    # Each pusher's own frames come out in order.
    for low in (0, 1000):
        own = [number for number in pulled if low <= number < low + 400]
        assert own == sorted(own)


def test_memory_is_bounded(make: Make) -> None:
    # Guards against a slow filter, or a caller that stopped fetching, filling the memory.
    stand = make(fetch=False)
    alive: weakref.WeakSet[Frame] = weakref.WeakSet()
    stand.push(0)
    stand.enter()
    for number in range(1, 200):
        frame = Frame(number)
        alive.add(frame)
        stand.live.push(frame)  # type: ignore[arg-type]
        if number == 100:
            stand.clock.now += 2 * PATIENCE_S
    del frame
    gc.collect()
    # One that waits, one that was put out; the filter is at another.
    assert len(alive) <= 2


def test_what_a_frame_took_is_told_with_what_it_waited() -> None:
    # The governor has to tell the one from the other: a queue is not cured by what cures a slow filter.
    gate, clock = Gate(), Clock()
    told: list[Done] = []
    done = threading.Semaphore(0)

    def on_done(took: Done) -> None:
        told.append(took)
        done.release()

    live = LiveFilter(gate, clock=clock, on_done=on_done)
    live.push(Frame(1))  # type: ignore[arg-type]
    assert gate.entered.acquire(timeout=TIMEOUT_S)
    clock.now += 0.125
    live.push(Frame(2))  # type: ignore[arg-type]
    clock.now += 0.125
    live.push(Frame(3))  # type: ignore[arg-type]
    clock.now += 0.125
    gate.opened.release()
    assert done.acquire(timeout=TIMEOUT_S) and gate.entered.acquire(timeout=TIMEOUT_S)
    clock.now += 0.5
    gate.opened.release()
    assert done.acquire(timeout=TIMEOUT_S)
    live.close()
    # And how many had come meanwhile: without them nobody knows how fast the source is.
    assert told == [Done(0.0, 0.375), Done(0.125, 0.5, since=0.25, missed=1)]
