"""Intervals over people: clips of one person are not independent, so people are drawn, not clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 2000
LEAST = 3
"""People below which there is no interval to speak of."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its 95 % interval; None for both ends where there are too few people."""

    mean: float
    low: float | None
    high: float | None
    people: int


def over_people(values: Sequence[tuple[str, float]]) -> Interval | None:
    """Mean over people of their means, and the percentile bootstrap's 95 % interval (Efron, 1979); None without values.

    Args:
        values: Person and figure, one a clip.
    """
    by_person: dict[str, list[float]] = {}
    for person, value in values:
        by_person.setdefault(person, []).append(value)
    if not by_person:
        return None
    means = np.array([np.mean(by_person[person]) for person in sorted(by_person)])
    if len(means) < LEAST:
        return Interval(float(means.mean()), None, None, len(means))
    drawn = np.random.default_rng(1).integers(0, len(means), (DRAWS, len(means)))
    low, high = np.percentile(means[drawn].mean(axis=1), (2.5, 97.5))
    return Interval(float(means.mean()), float(low), float(high), len(means))
