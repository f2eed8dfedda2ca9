"""Intervals over people."""

from __future__ import annotations

import pytest

from benchmarks.quality.bootstrap import over_people


def test_a_person_with_many_clips_counts_once() -> None:
    """Guards against: ten clips of one person make the figure that person's."""
    found = over_people([("a", 1.0)] * 10 + [("b", 2.0), ("c", 3.0)])
    assert found is not None
    assert found.mean == pytest.approx(2.0) and found.people == 3
    assert found.low is not None and found.high is not None
    assert 1.0 <= found.low < 2.0 < found.high <= 3.0


def test_few_people_have_no_interval() -> None:
    found = over_people([("a", 1.0), ("b", 2.0)])
    assert found is not None and found.low is None and found.mean == 1.5
    assert over_people([]) is None


def test_equal_people_have_an_interval_without_width() -> None:
    found = over_people([(name, 4.0) for name in "abcde"])
    assert found is not None and found.low == found.high == 4.0
