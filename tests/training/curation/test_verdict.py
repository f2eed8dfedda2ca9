"""Of two versions of one picture the better one stays, whatever their order; nobody is rejected for a worse twin."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.curation.heads import USUAL
from training.curation.face import Square
from training.curation.judge import Judgement
from training.curation.likeness import LENGTH, mirrored
from training.curation.rubric import CRITERIA, JUDGED, NAMES, Rubric
from training.curation.store import Entry
from training.curation.verdict import decide

RUBRIC = Rubric({name: 2.0 for name in NAMES})


def entry(name: str, person: int, quality: float = 4.0, change: float = 0.0, mirror: bool = False) -> Entry:
    """A photo of a person; `change` makes it another picture of the same one."""
    base = np.random.default_rng(person).standard_normal(LENGTH)
    other = np.random.default_rng(person + 1000).standard_normal(LENGTH)
    signature = np.rint(100 * (base + change * other)).astype(np.int32)
    measures = {c.name: quality if c.at_least else 4.0 / quality for c in CRITERIA}
    signature = mirrored(signature) if mirror else signature
    return Entry(f"{name}#1", name, measures, signature, Square(0, 0, 64), None, None, 0.0)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("mirror", [False, True])
def test_the_better_version_stays(reverse: bool, mirror: bool) -> None:
    both = [entry("a.jpg", 1, 4.0), entry("b.jpg", 1, 3.0, mirror=mirror)]
    verdicts = {v.entry.source: v for v in decide(both[::-1] if reverse else both, RUBRIC, USUAL, {}, 0)}
    assert verdicts["a.jpg"].kept
    assert verdicts["b.jpg"].reasons == ["same picture as a.jpg#1"]
    assert verdicts["b.jpg"].duplicate_of == "a.jpg#1"


def test_a_rejected_version_rejects_no_good_one() -> None:
    verdicts = decide([entry("bad.jpg", 1, 1.0), entry("good.jpg", 1, 2.5)], RUBRIC, USUAL, {}, 0)
    assert [v.kept for v in verdicts] == [False, True]
    assert verdicts[0].duplicate_of == "good.jpg#1"
    assert len(verdicts[0].reasons) > 1


def test_pictures_of_one_person_share_a_group_and_both_stay() -> None:
    verdicts = decide([entry("a", 1), entry("b", 1, change=0.9), entry("c", 2)], RUBRIC, USUAL, {}, 0)
    assert [v.kept for v in verdicts] == [True] * 3
    assert verdicts[0].person == verdicts[1].person != verdicts[2].person


def test_a_person_is_kept_at_most_so_often() -> None:
    many = [entry("a", 1, 3.0), entry("b", 1, 4.0, change=0.9), entry("c", 2, 2.5)]
    verdicts = decide(many, RUBRIC, USUAL, {}, 1)
    assert [v.kept for v in verdicts] == [False, True, True]
    assert "seen often enough" in verdicts[0].reasons[0]


def test_the_judge_decides_where_it_answered() -> None:
    low = Judgement({**{c.name: 1.0 for c in JUDGED}, "eyes": 0.1}, "closed")
    verdicts = decide([entry("a", 1), entry("b", 2)], RUBRIC, USUAL, {"a#1": low}, 0)
    assert [v.kept for v in verdicts] == [False, True]
    assert verdicts[0].scores["eyes"] == 0.1 and verdicts[0].scores["size"] > 0.5


def test_nothing_found_is_nothing_decided() -> None:
    assert decide([], RUBRIC, USUAL, {}, 0) == []
