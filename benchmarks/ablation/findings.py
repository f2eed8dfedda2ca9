"""What was measured, and how a claim is made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.ablation.arms import WHOLE
from benchmarks.ablation.differences import Rows, difference, falls
from benchmarks.ablation.marks import marks
from benchmarks.quality.bootstrap import Interval

QUALITY = "exposure_free"
"""What parts are judged by: a few steps of training move the light of dark clips, and their PSNR, by whole decibels."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a claim."""

    system: str
    claim: str
    holds: bool | None
    """None where it was not measured"""
    figures: str

    @property
    def word(self) -> str:
        """Yes, no, or not measured."""
        return "not measured" if self.holds is None else "yes" if self.holds else "no"


@dataclass(frozen=True, slots=True)
class Findings:
    """Rows by arm, peers and the untouched input among them, and the facts of `claims.verdicts`."""

    rows: Rows
    facts: Mapping[str, Any]

    @property
    def trained(self) -> bool:
        """Whether arms were trained on."""
        return bool(self.facts.get("trained"))

    def named(self, arm: str) -> str:
        """The arm's name with its sign."""
        return arm + marks(self.trained, self.facts.get("untrained", ())).get(arm, "")

    def change(
        self, arm: str, figure: str, tasks: Sequence[str] | None = None, base: str = WHOLE
    ) -> Interval | None:
        """The arm's figure less that of the base, on the same clips."""
        return difference(self.rows, arm, base, figure, tasks)

    def sharpness(self, arm: str, tasks: Sequence[str] | None = None, base: str = WHOLE) -> str:
        """What stands behind every temporal figure, since whatever blurs is steady."""
        return f"sharpness {shown(self.change(arm, 'sharpness', tasks, base), '')}"

    def costs(
        self, system: str, claim: str, arm: str, figure: str = QUALITY, tasks: Sequence[str] | None = None
    ) -> Verdict:
        """That switching something off costs quality."""
        found = self.change(arm, figure, tasks)
        return Verdict(system, claim, falls(found), f"{self.named(arm)}: {shown(found)}")


def shown(interval: Interval | None, unit: str = " dB", form: str = "+.3f") -> str:
    """A difference as text."""
    if interval is None:
        return "not measured"
    ends = "" if interval.low is None else f" ({interval.low:{form}} .. {interval.high:{form}})"
    return f"{interval.mean:{form}}{unit}{ends}"
