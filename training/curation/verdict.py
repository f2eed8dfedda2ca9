"""Which entries are kept and why the others are not: pure functions of what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from training.curation.judge import Judgement
from training.curation.likeness import LENGTH, Likeness, mirrored, similar_to, unit
from training.curation.rubric import Rubric, faults, overall, scores
from training.curation.store import Entry, short


@dataclass(slots=True)
class Verdict:
    """What was decided about an entry."""

    entry: Entry
    scores: dict[str, float]
    """Criterion to 0..1, of the judge where it scored it."""
    reasons: list[str]
    """Why it is rejected; empty when it is kept."""
    judgement: Judgement | None = None
    person: str = ""
    """Name of the group of entries that look like one person."""
    duplicate_of: str | None = None
    """Id of the better version of the same picture."""
    own_faults: bool = field(default=False)
    """Whether it is rejected for itself and not for its likeness to others."""

    @property
    def kept(self) -> bool:
        """Whether there is nothing against it."""
        return not self.reasons


def decide(
    entries: Sequence[Entry],
    rubric: Rubric,
    likeness: Likeness,
    judgements: Mapping[str, Judgement],
    per_person: int,
) -> list[Verdict]:
    """The verdict on each entry, in the order given.

    Args:
        entries: With ids of their own.
        rubric: The limits.
        likeness: When faces are alike.
        judgements: Entry id to what a judge said of it; where there is none the measures decide alone.
        per_person: Most entries kept of people that look alike; 0 for any number.
    """
    verdicts = []
    for entry in entries:
        judgement = judgements.get(entry.id)
        judged = None if judgement is None else judgement.scores
        reasons = faults(entry.measures, rubric, judged)
        merged = {**scores(entry.measures, rubric), **(judged or {})}
        verdicts.append(Verdict(entry, merged, reasons, judgement, own_faults=bool(reasons)))
    # The better ones first: of two versions the worse one is the duplicate, whichever was found first.
    ranked = sorted(verdicts, key=lambda v: (v.own_faults, -overall(v.scores), -v.entry.measures["size"], v.entry.id))
    _mark_duplicates(ranked, likeness, per_person)
    return verdicts


def _mark_duplicates(ranked: list[Verdict], likeness: Likeness, per_person: int) -> None:
    if not ranked:
        return
    plain = unit([v.entry.signature for v in ranked], likeness)
    flipped = unit([mirrored(v.entry.signature) for v in ranked], likeness)
    leaders: list[int] = []
    originals: list[int] = []
    kept: dict[str, int] = {}
    alike, same = np.empty((len(ranked), LENGTH), np.float32), np.empty((len(ranked), LENGTH), np.float32)
    for index, verdict in enumerate(ranked):
        # Both are compared with the first of their group alone: chains of likenesses would join strangers.
        near = _nearest(plain[index], flipped[index], alike[: len(leaders)], likeness.person)
        if near is None:
            alike[len(leaders)] = plain[index]
            leaders.append(index)
        verdict.person = f"person-{short(ranked[index if near is None else leaders[near]].entry.id)[:6]}"
        twin = _nearest(plain[index], flipped[index], same[: len(originals)], likeness.copy)
        if twin is None:
            same[len(originals)] = plain[index]
            originals.append(index)
        else:
            verdict.duplicate_of = ranked[originals[twin]].entry.id
            verdict.reasons.append(f"same picture as {verdict.duplicate_of}")
        if verdict.kept:
            kept[verdict.person] = kept.get(verdict.person, 0) + 1
            if 0 < per_person < kept[verdict.person]:
                verdict.reasons.append(f"person seen often enough: {per_person} better ones kept")


def _nearest(
    wanted: np.ndarray[tuple[int], np.dtype[np.float32]],
    flipped: np.ndarray[tuple[int], np.dtype[np.float32]],
    others: np.ndarray[tuple[int, int], np.dtype[np.float32]],
    limit: float,
) -> int | None:
    if not len(others):
        return None
    similarity = similar_to(wanted, flipped, others)
    best = int(similarity.argmax())
    return best if similarity[best] >= limit else None
