"""Of what a relay tells only the counted time counts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks.latency import told
from benchmarks.latency.figures import Window
from stream.timing import RECENT, Histogram

WINDOW = Window(10.0, 20.0)


def _message(time: float, frames: int, changed: int, bypassed: int = 0) -> tuple[float, dict[str, Any]]:
    return time, {"frames": frames, "changed": changed, "bypassed": bypassed}


def test_frames_of_the_warm_up_do_not_count() -> None:
    # 90 frames of the warm-up pass for want of time; all of the window are changed.
    messages = [_message(9.6, 80, 0), _message(10.1, 95, 5), _message(15.0, 240, 150), _message(20.3, 395, 305)]
    assert told.counted(messages, WINDOW) == {"frames": 300, "changed": 300}
    assert told.share(told.counted(messages, WINDOW)) == 100


def test_frames_that_went_past_a_stalled_filter_are_unchanged_ones() -> None:
    # Guards against a filter that stands still for most of a call and changed all frames that it had.
    messages = [_message(10.1, 100, 100), _message(20.3, 200, 200, 300)]
    assert told.share(told.counted(messages, WINDOW)) == 25


def test_a_frame_that_was_in_the_filter_does_not_make_more_than_all() -> None:
    messages = [_message(10.1, 100, 99), _message(20.3, 200, 200)]
    assert told.share(told.counted(messages, WINDOW)) == 100


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [_message(9.0, 0, 0), _message(20.3, 300, 300)],
        [(10.0, {}), (20.3, {})],
        [(10.0, {"frames": "many", "changed": True}), (20.3, {"frames": [], "changed": None})],
        [_message(10.0, 5, 5), _message(20.3, 5, 5)],
    ],
)
def test_where_too_little_is_told_nothing_is_claimed(messages: list[tuple[float, dict[str, Any]]]) -> None:
    assert told.counted(messages, WINDOW) is None and told.share(None) is None


def _call(warm_up: float, then: float, seconds: float) -> list[tuple[float, dict[str, Any]]]:
    """A call at 30 frames a second from 7 s on, its messages every half second; the engine slow before 10 s."""
    engine, messages = Histogram(), []
    for place in range(int(30 * (3 + seconds))):
        at = 7 + place / 30
        engine.add(warm_up if at < WINDOW.begin else then)
        if place % 15 == 14:
            messages.append((at, {"stages": {"engine": engine.figures()}}))
    return messages


def test_stage_times_are_of_the_counted_time() -> None:
    # Guards against the first steps of a call, ten times as slow, in the p95 of the seconds after them.
    found = told.stages(_call(0.1, 0.01, 10), WINDOW)
    assert (found["engine"]["median_ms"], found["engine"]["p95_ms"]) == pytest.approx((10, 10), rel=0.03)
    whole = _call(0.1, 0.01, 10)[-1][1]["stages"]["engine"]
    assert whole["p95_ms"] == pytest.approx(100, rel=0.03)


def test_a_short_window_has_what_was_told_last() -> None:
    messages = _call(0.1, 0.01, 2)
    last = messages[-1][1]["stages"]["engine"]
    assert last["recent_count"] > last["count"] - 90 and last["recent_count"] <= 2 * RECENT
    assert told.stages(messages, WINDOW)["engine"]["median_ms"] == last["recent_median_ms"]


def test_a_relay_without_recent_times_is_taken_at_its_word() -> None:
    messages = [(12.0, {"stages": {"decode": {"median_ms": 3, "p95_ms": 4.0}, "odd": 5, "bad": {"median_ms": "x"}}})]
    assert told.stages(messages, WINDOW) == {"decode": {"median_ms": 3.0, "p95_ms": 4.0}}
    assert told.stages([(12.0, {"stages": "none"})], WINDOW) == {}
    assert told.relay([], WINDOW) == {}


def test_only_messages_with_figures_are_read() -> None:
    texts = [(1.0, "no JSON"), (2.0, json.dumps({"settings": {}})), (3.0, json.dumps({"figures": {"frames": 1}}))]
    assert told.read([*texts, (4.0, "[]"), (5.0, '{"figures": 3}')]) == [(3.0, {"frames": 1})]
