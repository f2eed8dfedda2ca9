"""Figures on cases worked out by hand."""

from __future__ import annotations

import pytest

from benchmarks.latency import figures
from benchmarks.latency.figures import Came, Window
from tests.benchmarks.latency.pictures import came, sent


def test_a_call_in_which_all_is_well() -> None:
    frames = sent(40)
    found = figures.caller(-0.5, frames, [came(frame, 0.03, 0.002) for frame in frames], Window(1.0, 3.0))
    assert (found.sent, found.missing, found.late, found.repeated, found.unreadable) == (20, 0, 0, 0, 0)
    assert found.fps == pytest.approx(10)
    assert [delay for _, delay in found.delays] == pytest.approx([32] * 20)
    assert found.delays[0][0] == pytest.approx(0) and found.delays[-1][0] == pytest.approx(1.9)
    assert found.decoding == pytest.approx([2] * 20)
    assert found.source_late == pytest.approx([0] * 20)
    assert found.first_picture_s == pytest.approx(0.532)
    assert (found.freezes, found.frozen_s) == (0, 0)


def test_missing_late_repeated_and_unreadable_are_told_apart() -> None:
    frames = sent(10)
    pictures = [came(frame, 0.02) for frame in frames]
    del pictures[6]  # never came: missing
    pictures[3] = Came(3, 0.8, 0.81)  # 510 ms under way: late, so missing as well
    pictures.sort(key=lambda picture: picture.decoded)
    pictures.insert(2, Came(1, 0.15, 0.151))  # once more what was there
    pictures.insert(5, Came(None, 0.46, 0.461))
    found = figures.caller(0.0, frames, pictures, Window(0.0, 1.0))
    assert (found.sent, found.missing, found.late) == (10, 2, 1)
    assert (found.repeated, found.unreadable) == (1, 1)
    assert len(found.delays) == 9 and max(delay for _, delay in found.delays) == pytest.approx(510)


def test_only_what_was_sent_within_the_window_counts() -> None:
    frames = sent(30)
    pictures = [came(frame, 0.05) for frame in frames[:9] + frames[21:]]
    found = figures.caller(0.0, frames, pictures, Window(0.95, 2.05))
    assert (found.sent, found.missing, found.fps, found.delays) == (11, 11, 0, ())


def test_stamps_that_come_round_are_told_apart_by_their_order() -> None:
    # A clip of 5 frames: with a delay of 1.2 s, more than twice the clip, each stamp stands for three frames under way.
    frames = sent(40, length=5)
    pictures = [came(frame, 1.2) for frame in frames]
    assert figures.match(frames, pictures) == list(range(40))


def test_a_frame_that_had_not_left_yet_is_none() -> None:
    frames = sent(3)
    assert figures.match(frames, [Came(2, 0.15, 0.16), Came(7, 0.2, 0.21), Came(None, 0.2, 0.21)]) == [None] * 3


def test_a_relay_that_goes_back_is_seen_repeating() -> None:
    frames = sent(8, length=4)
    pictures = [Came(0, 0.01, 0.01), Came(1, 0.11, 0.11), Came(0, 0.15, 0.15), Came(2, 0.21, 0.21)]
    assert figures.match(frames, pictures) == [0, 1, 0, 2]


def test_nothing_came_at_all() -> None:
    found = figures.caller(0.0, sent(20), [], Window(0.0, 1.0))
    assert (found.sent, found.missing, found.fps) == (10, 10, 0)
    together = figures.summary([found])
    assert together["p50"] is None and together["first_picture_s"] is None and together["drift"] is None


@pytest.mark.parametrize(
    ("pause", "expected"),
    [
        (0.182, []),  # 33 ms and 150 ms more would be one: 183 ms
        (0.184, [0.184]),
    ],
)
def test_a_freeze_at_30_frames_a_second_is_150_ms_above_the_mean(pause: float, expected: list[float]) -> None:
    shown = [place / 30 for place in range(60)]
    shown += [shown[-1] + pause + place / 30 for place in range(5)]
    found = figures.freezes(shown, Window(0.0, shown[-1] + 0.001))
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(("pause", "expected"), [(1.45, []), (1.55, [1.55])])
def test_a_freeze_at_2_frames_a_second_is_three_times_the_mean(pause: float, expected: list[float]) -> None:
    shown = [place * 0.5 for place in range(40)]
    shown += [shown[-1] + pause]
    assert figures.freezes(shown, Window(0.0, shown[-1] + 0.001)) == pytest.approx(expected)


def test_a_picture_that_never_comes_back_is_a_freeze() -> None:
    # Without it, a relay that dies in the middle would show fewer freezes than one that stutters.
    shown = [place / 30 for place in range(30)]
    assert figures.freezes(shown, Window(0.0, 5.0)) == pytest.approx([5.0 - 29 / 30])


def test_freezes_of_the_warm_up_do_not_count_but_the_mean_does() -> None:
    shown = [place / 30 for place in range(30)] + [2.0 + place / 30 for place in range(60)]
    assert figures.freezes(shown, Window(2.5, 3.9)) == []
    assert len(figures.freezes(shown, Window(0.5, 3.9))) == 1


def test_drift_is_the_slope_and_one_stutter_does_not_bend_it() -> None:
    rising = [(place / 10, 20 + place / 10 * 0.5) for place in range(100)]
    assert figures.drift(rising) == pytest.approx(30)
    rising[50:60] = [(at, 900.0) for at, _ in rising[50:60]]
    assert figures.drift(rising) == pytest.approx(30, abs=2)
    assert figures.drift([(0.1, 5.0), (0.2, 6.0)]) is None


def test_quantiles_of_known_numbers() -> None:
    assert figures.quantiles([float(value) for value in range(101)]) == {
        "p50": 50,
        "p90": 90,
        "p95": 95,
        "p99": 99,
        "max": 100,
    }


def test_the_worst_caller_gives_the_frame_rate_and_all_the_counts() -> None:
    frames = sent(20)
    window = Window(0.0, 2.0)
    good = figures.caller(0.0, frames, [came(frame, 0.0) for frame in frames], window)
    bad = figures.caller(0.0, frames, [came(frame, 0.1) for frame in frames[::2]], window)
    together = figures.summary([good, bad])
    assert (together["fps"], together["sent"], together["missing"]) == (5, 40, 10)
    assert together["p50"] == 0 and together["max"] == 100
