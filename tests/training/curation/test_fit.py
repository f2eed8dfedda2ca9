"""Limits are fitted on one half and told apart fairly on the other."""

from __future__ import annotations

import math

import pytest

from training.curation.fit import Sample, best_limit, outcome


def samples(good: list[float], bad: list[float]) -> list[Sample]:
    return [Sample(v, False, True) for v in good] + [Sample(v, True, True) for v in bad]


def test_the_limit_lies_in_the_middle_of_the_gap() -> None:
    assert best_limit(samples([5, 6, 7], [1, 2, 3]), at_least=True) == 4
    assert best_limit(samples([1, 2, 3], [5, 6, 7]), at_least=False) == 4


def test_many_bad_ones_do_not_outvote_few_good_ones() -> None:
    limit = best_limit(samples([5.0, 6.0], [1.0] * 500 + [5.5] * 2), at_least=True)
    assert 1 < limit < 5


def test_one_kind_alone_has_no_limit() -> None:
    for one in (samples([1], []), samples([], [1])):
        with pytest.raises(ValueError, match="good and bad"):
            best_limit(one, at_least=True)


def test_precision_and_recall_are_counted() -> None:
    found = outcome(samples([5, 6, 1], [1, 2, 9, 9]), 4, at_least=True)
    assert (found.bad, found.good, found.hits, found.false_alarms) == (4, 3, 2, 1)
    assert found.precision == pytest.approx(2 / 3) and found.recall == pytest.approx(1 / 2)
    other = outcome(samples([5], [1]), 4, at_least=False)
    assert (other.hits, other.false_alarms) == (0, 1)


def test_nothing_rejected_has_no_precision() -> None:
    assert math.isnan(outcome(samples([5], [6]), 4, at_least=True).precision)
    assert math.isnan(outcome(samples([5], []), 4, at_least=True).recall)
