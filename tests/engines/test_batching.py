"""Batches: nobody waits in vain, nobody waits longer than told, no session is in a batch twice."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from engines.batching import ACTIVE_S, Batcher, Gathering
from engines.errors import EngineLost

WAIT = 0.002


def gathering(max_batch: int = 4) -> Gathering[str]:
    return Gathering(max_batch, WAIT)


def seen(*sessions: str, max_batch: int = 4) -> Gathering[str]:
    """All of these brought a frame at time 0."""
    made = gathering(max_batch)
    for session in sessions:
        made.add(session, 0.0)
        made.take(0.0)
    while made.take(WAIT):
        pass
    return made


def test_one_session_alone_never_waits() -> None:
    made = gathering()
    for now in (0.0, 0.033, 0.066):
        made.add("a", now)
        assert made.take(now) == ["a"]


def test_it_goes_off_when_all_that_are_active_are_there() -> None:
    made = seen("a", "b", "c")
    made.add("b", 0.030)
    made.add("a", 0.0301)
    assert made.take(0.0302) == []
    made.add("c", 0.0303)
    assert made.take(0.0303) == ["b", "a", "c"]
    assert made.take(0.0303) == []


def test_the_first_waits_no_longer_than_told() -> None:
    made = seen("a", "b")
    made.add("a", 0.030)
    assert made.take(0.030) == []
    assert made.remaining(0.031) == pytest.approx(0.001)
    assert made.take(0.030 + WAIT) == ["a"]


def test_the_wait_is_that_of_the_oldest() -> None:
    made = seen("a", "b", "c")
    made.add("a", 0.030)
    made.add("b", 0.0315)
    assert made.take(0.0319) == [] and made.take(0.0321) == ["a", "b"]


def test_who_brings_nothing_any_more_is_not_waited_for() -> None:
    made = seen("a", "b")
    now = ACTIVE_S
    made.add("a", now)
    assert made.take(now) == ["a"]


def test_a_full_batch_goes_at_once_and_the_rest_comes_next() -> None:
    made = seen("a", "b", "c", "d", "e", max_batch=2)
    for index, session in enumerate("abcde"):
        made.add(session, 0.030 + 0.0001 * index)
    assert made.take(0.0304) == ["a", "b"] and made.take(0.0304) == ["c", "d"]
    assert made.take(0.0304) == []
    assert made.take(0.0304 + WAIT) == ["e"]


def test_with_nothing_to_do_there_is_nothing_to_take() -> None:
    assert gathering().take(1.0) == [] and gathering().remaining(1.0) == WAIT


def test_each_thread_returns_after_its_own_frame_was_run() -> None:
    lock, done = threading.Lock(), []

    def run(batch: list[int]) -> None:
        assert len(set(batch)) == len(batch) <= 3
        with lock:
            done.extend(batch)

    batcher: Batcher[int] = Batcher(run, 3)

    def session(number: int) -> None:
        for frame in range(20):
            batcher.step(number)
            with lock:
                assert done.count(number) == frame + 1

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(session, range(5)))
    assert sorted(done) == sorted(list(range(5)) * 20)


def test_frames_that_come_while_a_batch_runs_go_together() -> None:
    """The clock stands still: only that all who are active have come makes a batch go off."""
    batches: list[list[str]] = []
    running, go_on = threading.Event(), threading.Event()

    def run(batch: list[str]) -> None:
        batches.append(batch)
        running.set()
        assert go_on.wait(30)

    batcher: Batcher[str] = Batcher(run, 4, wait_s=1000.0, clock=lambda: 0.0)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(batcher.step, "a")
        assert running.wait(30)
        others = [pool.submit(batcher.step, name) for name in ("b", "c")]
        with batcher._changed:
            assert batcher._changed.wait_for(lambda: len(batcher._gathering._waiting) == 2, 30)
        # a comes again when its first frame is through; until then b and c wait for it.
        go_on.set()
        first.result(30)
        again = pool.submit(batcher.step, "a")
        for future in (*others, again):
            future.result(30)
    assert batches[0] == ["a"]
    assert sorted(name for batch in batches[1:] for name in batch) == ["a", "b", "c"]
    assert len(batches) == 2


def test_an_error_reaches_everyone_in_the_batch_and_nobody_after() -> None:
    fail = [True]

    def run(batch: list[str]) -> None:
        if fail[0]:
            raise EngineLost("gone")

    batcher: Batcher[str] = Batcher(run, 4, wait_s=0.0)
    with pytest.raises(EngineLost, match="gone"):
        batcher.step("a")
    fail[0] = False
    batcher.step("a")
