"""Times on a frame's way: right, and bounded when frames get lost on it."""

from __future__ import annotations

import pytest

from stream.relay import stage_times
from stream.timing import Histogram


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_frames_that_overlap_are_told_apart() -> None:
    clock = _Clock()
    passage = stage_times.Passage(clock)
    passage.enter(3000)
    clock.now += 0.01
    passage.enter(6000)
    clock.now += 0.01
    passage.leave(3000)
    clock.now += 0.02
    passage.leave(6000)
    # 20 ms and 30 ms.
    assert passage.times.quantile_ms(0.5) == pytest.approx(20, rel=0.03)
    assert passage.times.quantile_ms(1) == pytest.approx(30, rel=0.03)


def test_frames_that_never_come_out_are_given_up() -> None:
    clock = _Clock()
    passage = stage_times.Passage(clock)
    for timestamp in range(stage_times.MAX_OPEN + 1):
        passage.enter(timestamp)
    for unknown in (0, None, 999_999):
        passage.leave(unknown)
    assert passage.times.count == 0
    passage.leave(1)
    assert passage.times.count == 1


def test_a_watch_tells_how_long_and_until_when_also_of_what_failed() -> None:
    clock = _Clock()
    watch = stage_times.Watch(clock)
    with pytest.raises(ValueError), watch:
        clock.now += 0.004
        raise ValueError
    assert watch.ended == clock.now
    assert watch.times.quantile_ms(0.5) == pytest.approx(4, rel=0.03)


def test_a_stage_that_never_ran_is_not_shown() -> None:
    ran = Histogram()
    ran.add(0.002)
    assert list(stage_times.figures({"decode": Histogram(), "encode": ran})) == ["encode"]
