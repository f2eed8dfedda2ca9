"""What a face is judged by: criteria, their limits, and the scores that come of them."""

from __future__ import annotations

import importlib.resources
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from training.curation.measures import Measures

PASSING = 0.5
"""Score at a criterion's limit; below it the face is rejected."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One line of the rubric."""

    name: str
    at_least: bool
    """Whether more is better."""
    fault: str
    """What a face that misses it is called."""
    question: str
    """What a score of 1 means, for a judge that looks at the picture; empty where a picture cannot tell."""
    setting: float | None = None
    """Limit that is chosen, not calibrated on labels."""


CRITERIA = (
    Criterion("size", True, "face small, pixels", "", setting=96.0),
    Criterion("eyes", True, "eyes soft", "eyes, lashes and iris are in sharp focus"),
    Criterion("mouth", True, "mouth soft", "lips and teeth are in sharp focus"),
    Criterion("skin", True, "skin soft", "skin shows its natural fine texture, neither smeared nor retouched away"),
    Criterion("motion", True, "smeared by motion", "nothing is smeared by motion"),
    Criterion("noise", False, "noisy", "no sensor noise or grain"),
    Criterion("dark", True, "dark", "the face is lit well enough, whatever the colour of the skin"),
    Criterion("bright", False, "burnt out", "no part of the skin is burnt out to white", setting=0.1),
    Criterion("blocks", False, "blocky", "no blocks or ringing from compression"),
    Criterion("pose", False, "turned away, degrees", "the face looks at the camera", setting=35.0),
    Criterion("jitter", False, "track unsteady", ""),
    Criterion("seconds", True, "track short, seconds", "", setting=1.0),
)
"""All criteria; `jitter` and `seconds` are those of tracks alone."""

NAMES = tuple(c.name for c in CRITERIA)
JUDGED = tuple(c for c in CRITERIA if c.question)
"""What a judge that looks at one picture can score."""


@dataclass(frozen=True, slots=True)
class Rubric:
    """The criteria with their limits."""

    limits: Mapping[str, float]
    """Criterion to limit, above 0, in the measure's own unit."""

    def with_limit(self, name: str, limit: float) -> Rubric:
        """The same with another limit for one criterion."""
        return replace(self, limits={**self.limits, name: limit})


def load_rubric() -> Rubric:
    """The calibrated limits that come with clearcall, and the chosen ones."""
    text = importlib.resources.files(__package__).joinpath("rubric.json").read_text(encoding="utf-8")
    calibrated = json.loads(text)["limits"]
    return Rubric({c.name: float(calibrated[c.name] if c.setting is None else c.setting) for c in CRITERIA})


def score(value: float, limit: float, at_least: bool) -> float:
    """0 for useless, `PASSING` at the limit, towards 1 for perfect; two decimals, never rounded across the limit."""
    good, bad = (value, limit) if at_least else (limit, max(value, 0.0))
    share = good / (good + bad) if math.isfinite(value) and good + bad > 0 else 0.0
    rounded = round(max(share, 0.0), 2)
    return min(rounded, PASSING - 0.01) if share < PASSING else max(rounded, PASSING)


def scores(measures: Measures, rubric: Rubric) -> dict[str, float]:
    """The score of each criterion that was measured."""
    return {c.name: score(measures[c.name], rubric.limits[c.name], c.at_least) for c in CRITERIA if c.name in measures}


def overall(of: Mapping[str, float]) -> float:
    """One number for a face, to choose the best of several: a face is as good as its worst criterion."""
    return min(of.values(), default=0.0)


def faults(measures: Measures, rubric: Rubric, judged: Mapping[str, float] | None = None) -> list[str]:
    """Why a face is to be rejected, a line each; empty for a good one.

    Args:
        measures: What was measured.
        rubric: The limits.
        judged: Scores 0..1 of a judge; they take the place of the measured ones of the same name.
    """
    found, own = [], scores(measures, rubric)
    for criterion in CRITERIA:
        if judged is not None and criterion.name in judged:
            if judged[criterion.name] < PASSING:
                found.append(f"{criterion.fault}: judged {judged[criterion.name]:.2f}, at least {PASSING}")
        elif own.get(criterion.name, 1.0) < PASSING:
            side = "at least" if criterion.at_least else "at most"
            limit = rubric.limits[criterion.name]
            found.append(f"{criterion.fault}: {measures[criterion.name]:.3g}, {side} {limit:.3g}")
    return found
