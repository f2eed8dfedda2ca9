"""The figures at the end: each stage with its own times, in the order of a frame's way."""

from __future__ import annotations

import pytest

from stream.files.job import Counts
from stream.files.summary import summary
from stream.timing import Histogram


def spread(scale: float) -> Histogram:
    """Times of 1 to 100 ms, `scale` times as long."""
    times = Histogram()
    for milliseconds in range(1, 101):
        times.add(scale * milliseconds / 1e3)
    return times


def test_stages_stand_in_a_table_with_median_and_95th_percentile() -> None:
    counts = Counts(frames=100, seconds=4.0, filtering=spread(2), encoding=spread(500))
    inner = {"engine": {"median_ms": 90.0, "p95_ms": 180.25}}
    text = summary(counts, {"changed": 99, "stages": inner, "understood": "noise:0.5"}, spread(1))
    head, *rows, last = text.splitlines()
    assert head == "stage       median ms   p95 ms"
    assert rows[2] == "  engine        90.00   180.25"
    assert [row.split()[0] for row in rows] == ["decode", "filter", "engine", "encode"]
    # A frame that takes half a minute is no longer than the scale.
    for row, scale in zip((rows[0], rows[1], rows[3]), (1, 2, 500), strict=True):
        assert [float(value) for value in row.split()[1:]] == pytest.approx([50 * scale, 95 * scale], rel=0.03)
    assert last == "100 frames in 4.0 s: 25.0 fps, 99 changed, prompt noise:0.5"


def test_what_was_passed_on_is_said_with_its_reason() -> None:
    text = summary(Counts(frames=3, seconds=1.0), {"failures": {"engine": 2, "late": 0}}, Histogram())
    assert text.endswith("3 frames in 1.0 s: 3.0 fps; passed on as they were: engine 2")
