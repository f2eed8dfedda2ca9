"""Limits from labelled values, and how well a limit tells good from bad."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled value."""

    value: float
    bad: bool
    fitting: bool
    """Whether the limit may be fitted on it."""
    damaged: bool = False
    """Whether its picture was changed for the calibration."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a limit does on samples; rejecting a bad one is a hit."""

    bad: int
    good: int
    hits: int
    false_alarms: int

    @property
    def precision(self) -> float:
        """Share of the rejected that are bad; NaN when none is rejected."""
        rejected = self.hits + self.false_alarms
        return self.hits / rejected if rejected else float("nan")

    @property
    def recall(self) -> float:
        """Share of the bad that are rejected; NaN when there is none."""
        return self.hits / self.bad if self.bad else float("nan")


def best_limit(samples: Sequence[Sample], at_least: bool) -> float:
    """The limit with the best mean of recall and share of good ones passed; of equals the middle of the widest run.

    Raises:
        ValueError: One of the two kinds is missing.
    """
    values = np.array([s.value for s in samples])
    bad = np.array([s.bad for s in samples])
    if not bad.any() or bad.all():
        raise ValueError("a limit needs good and bad samples")
    sign = 1.0 if at_least else -1.0
    ends = np.unique(values * sign)
    limits = (ends[1:] + ends[:-1]) / 2 if len(ends) > 1 else ends
    rejected = values[None] * sign < limits[:, None]
    quality = (rejected & bad).sum(axis=1) / bad.sum() + (~rejected & ~bad).sum(axis=1) / (~bad).sum()
    best = np.flatnonzero(quality >= quality.max() - 1e-12)
    runs = np.split(best, np.flatnonzero(np.diff(best) > 1) + 1)
    widths = [float(ends[min(run[-1] + 1, len(ends) - 1)] - ends[run[0]]) for run in runs]
    run = runs[int(np.argmax(widths))]
    return sign * float(ends[run[0]] + ends[min(run[-1] + 1, len(ends) - 1)]) / 2


def outcome(samples: Sequence[Sample], limit: float, at_least: bool) -> Outcome:
    """What a limit does on the samples."""
    rejected = [s.value < limit if at_least else s.value > limit for s in samples]
    pairs = list(zip(rejected, samples, strict=True))
    return Outcome(
        bad=sum(s.bad for s in samples),
        good=sum(not s.bad for s in samples),
        hits=sum(r and s.bad for r, s in pairs),
        false_alarms=sum(r and not s.bad for r, s in pairs),
    )
