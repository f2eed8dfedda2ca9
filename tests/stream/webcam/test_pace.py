"""The beat: pictures must neither bunch nor stall, and a source a little slow or fast must not make it stumble."""

from __future__ import annotations

import random

from stream.webcam.pace import LOST_BEATS, Pacer

INTERVAL = 1 / 30


def play(arrivals: list[float], seconds: float) -> tuple[list[float], Pacer]:
    """Times at which pictures went out, of a source whose frames arrive at those times."""
    pacer, sent, now = Pacer(INTERVAL), [], 0.0
    waiting: float | None = None
    arrivals = list(arrivals)
    while now < seconds:
        while arrivals and arrivals[0] <= now:
            waiting = arrivals.pop(0)
        wait = pacer.wait(now, waiting is not None)
        if wait == 0.0:
            sent.append(now)
            pacer.sent(now, waiting)
            waiting = None
            continue
        now = min(now + wait, arrivals[0] if arrivals else now + wait)
    return sent, pacer


def gaps(times: list[float]) -> list[float]:
    return [b - a for a, b in zip(times, times[1:], strict=False)]


def test_a_source_at_the_rate_goes_through_without_repeats_and_without_delay() -> None:
    arrivals = [0.013 + n * INTERVAL for n in range(300)]
    sent, pacer = play(arrivals, 10.0)
    assert pacer.counts["repeated"] <= 1
    late = [min(abs(time - arrival) for arrival in arrivals) for time in sent[-60:]]
    assert max(late) < 0.006


def test_jitter_costs_no_repeats() -> None:
    rng = random.Random(1)
    arrivals = sorted(n * INTERVAL + rng.uniform(0, 0.008) for n in range(600))
    sent, pacer = play(arrivals, 20.0)
    assert pacer.counts["repeated"] <= 6
    assert 594 <= len(sent) <= 606


def test_half_the_rate_is_filled_up_with_repeats() -> None:
    sent, pacer = play([n / 15 for n in range(150)], 10.0)
    assert abs(len(sent) - 300) <= 4
    assert abs(pacer.counts["repeated"] - pacer.counts["fresh"]) <= 4
    assert max(gaps(sent)) < 1.5 * INTERVAL


def test_twice_the_rate_is_thinned() -> None:
    sent, pacer = play([n / 60 for n in range(600)], 10.0)
    assert abs(len(sent) - 300) <= 4
    assert min(gaps(sent)) > 0.9 * INTERVAL


def test_a_source_that_stops_is_repeated_at_the_beat() -> None:
    sent, pacer = play([n * INTERVAL for n in range(30)], 10.0)
    assert abs(len(sent) - 300) <= 2
    assert pacer.counts["fresh"] == 30


def test_a_machine_that_slept_does_not_catch_up() -> None:
    pacer = Pacer(INTERVAL)
    pacer.sent(0.0, None)
    later = (LOST_BEATS + 100) * INTERVAL
    assert pacer.wait(later, False) == 0.0
    pacer.sent(later, None)
    assert pacer.wait(later, True) > 0.9 * INTERVAL


def test_the_first_picture_goes_out_at_once() -> None:
    pacer = Pacer(INTERVAL)
    assert pacer.wait(5.0, False) == 0.0
    pacer.sent(5.0, None)
    pacer.reset()
    assert pacer.wait(5.0, False) == 0.0
