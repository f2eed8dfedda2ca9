"""A score says the same as the limit does, and a judge's score takes the place of the measure's."""

from __future__ import annotations

import pytest

from training.curation.rubric import CRITERIA, JUDGED, NAMES, PASSING, Rubric, faults, load_rubric, score, scores

RUBRIC = Rubric({name: 2.0 for name in NAMES})
GOOD = {c.name: 4.0 if c.at_least else 1.0 for c in CRITERIA}


@pytest.mark.parametrize("at_least", [True, False])
def test_scores_rise_with_quality_and_are_half_at_the_limit(at_least: bool) -> None:
    values = [0.0, 0.5, 1.0, 1.9999, 2.0, 2.0001, 3.0, 50.0]
    found = [score(v, 2.0, at_least) for v in (values if at_least else values[::-1])]
    assert found == sorted(found)
    assert score(2.0, 2.0, at_least) == PASSING
    assert all(0 <= s <= 1 for s in found)


def test_rounding_never_crosses_the_limit() -> None:
    # Else a face would be rejected with a score that passes.
    assert score(1.9999, 2.0, True) < PASSING
    assert score(2.0001, 2.0, False) < PASSING


def test_what_cannot_be_a_number_fails() -> None:
    assert score(float("nan"), 2.0, True) == 0.0
    assert score(float("inf"), 2.0, False) == 0.0


def test_a_good_face_has_no_faults() -> None:
    assert faults(GOOD, RUBRIC) == []
    assert all(s > PASSING for s in scores(GOOD, RUBRIC).values())


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda c: c.name)
def test_each_criterion_rejects_by_itself(criterion: object) -> None:
    assert isinstance(criterion, type(CRITERIA[0]))
    bad = {**GOOD, criterion.name: 1.0 if criterion.at_least else 4.0}
    (reason,) = faults(bad, RUBRIC)
    assert reason.startswith(criterion.fault) and "2" in reason


def test_what_was_not_measured_does_not_count() -> None:
    photo = {name: value for name, value in GOOD.items() if name not in {"jitter", "seconds"}}
    assert faults(photo, RUBRIC) == []


def test_a_judge_overrules_the_measures_both_ways() -> None:
    soft = {**GOOD, "eyes": 1.0}
    assert faults(soft, RUBRIC, {"eyes": 0.9}) == []
    (reason,) = faults(GOOD, RUBRIC, {"eyes": 0.2})
    assert "judged 0.20" in reason
    # What a picture cannot show stays with the measures.
    assert len(faults({**GOOD, "size": 1.0}, RUBRIC, {c.name: 1.0 for c in JUDGED})) == 1


def test_the_limits_that_are_shipped_are_whole() -> None:
    limits = load_rubric().limits
    assert set(limits) == set(NAMES) and all(value > 0 for value in limits.values())
