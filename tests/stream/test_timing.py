"""Durations: quantiles right to a few percent, memory of fixed size."""

from __future__ import annotations

import numpy as np
import pytest

from stream.timing import LONGEST_S, RECENT, SHORTEST_S, Histogram, Stages


def test_quantiles_are_right_to_a_few_percent() -> None:
    rng = np.random.default_rng(1)
    seconds = rng.lognormal(-4, 1, 5000)
    histogram = Histogram()
    for value in seconds:
        histogram.add(float(value))
    for share in (0.05, 0.5, 0.95, 1.0):
        exact = float(np.quantile(seconds, share, method="inverted_cdf")) * 1e3
        assert histogram.quantile_ms(share) == pytest.approx(exact, rel=0.025)
    assert histogram.count == 5000


def test_nothing_yet() -> None:
    assert set(Histogram().figures().values()) == {0}


def test_beyond_the_ends_of_the_scale() -> None:
    # Guards against a stalled frame, or a clock that stood still, ending the filter by an index out of range.
    histogram = Histogram()
    histogram.add(0.0)
    assert histogram.quantile_ms(0.5) == pytest.approx(SHORTEST_S * 1e3)
    histogram.add(-1.0)
    for _ in range(5):
        histogram.add(1e6)
    assert histogram.quantile_ms(0.95) == pytest.approx(LONGEST_S * 1e3, rel=0.07)


def test_a_window_forgets() -> None:
    # Guards against a call's hour-old hiccup standing in its figures for ever.
    histogram = Histogram(window=10)
    for _ in range(10):
        histogram.add(1.0)
    for _ in range(10):
        histogram.add(0.01)
    assert histogram.quantile_ms(1.0) == pytest.approx(1000, rel=0.03)
    histogram.add(0.01)
    assert histogram.quantile_ms(1.0) == pytest.approx(10, rel=0.03)
    assert histogram.count == 21


def test_the_recent_figures_forget_a_slow_start_and_the_others_do_not() -> None:
    # Guards against a warm-up that stands in the figures of the minutes after it.
    histogram = Histogram()
    for seconds in [1.0] * 500 + [0.01] * 2 * RECENT:
        histogram.add(seconds)
    found = histogram.figures()
    assert found["median_ms"] == pytest.approx(1000, rel=0.03) and found["count"] == 500 + 2 * RECENT
    assert (found["recent_median_ms"], found["recent_p95_ms"]) == pytest.approx((10, 10), rel=0.03)
    assert RECENT <= found["recent_count"] <= 2 * RECENT


def test_stages_share_out_the_time() -> None:
    now = iter([10.0, 10.002, 10.022, 20.0, 20.004])
    stages = Stages(("track", "engine", "paste"), lambda: next(now))
    stages.start()
    stages.done("track")
    stages.done("engine")
    stages.start()
    stages.done("track")
    figures = stages.figures()
    assert set(figures) == {"track", "engine"}
    assert (figures["track"]["median_ms"], figures["track"]["p95_ms"]) == pytest.approx((2, 4), rel=0.03)
    assert figures["engine"]["median_ms"] == pytest.approx(20, rel=0.03)
