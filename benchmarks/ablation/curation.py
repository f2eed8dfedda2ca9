"""Whether curation keeps what is good and rejects what is not, on labelled faces that its limits were not fitted on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from engines.errors import BadInput
from stream.files.progress import Progress
from training.curation.command import load_finder
from training.curation.labels import load_labels
from training.curation.rubric import Rubric, faults, load_rubric
from training.curation.shown import Shown, show_all

FACES = 40
"""Spotless ones that are looked at, spread over the people; each is also damaged in every way there is."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Between the rubric and the labels."""

    kept: float
    """Share of the good ones"""
    rejected: float
    """Share of the damaged ones, each with its reasons"""
    good: int
    damaged: int


def agreement(shown: Sequence[Shown], rubric: Rubric) -> Agreement:
    """Over pictures as they are and damaged ones; BadInput where either kind is missing."""
    good = [bool(faults(s.measures, rubric)) for s in shown if not s.damage and not s.bad]
    damaged = [bool(faults(s.measures, rubric)) for s in shown if s.bad]
    if not good or not damaged:
        raise BadInput("no labelled faces to judge curation by")
    return Agreement(1 - sum(good) / len(good), sum(damaged) / len(damaged), len(good), len(damaged))


def measure_curation(data: Path) -> dict[str, float]:
    """The agreement's figures; `data` holds train/ and real/. BadInput where the labelled pictures are not there."""
    labels = [label for label in load_labels() if label.spotless and not label.fitting and label.frame is None]
    labels = labels[:: max(1, len(labels) // FACES)][:FACES]
    missing = [label.file for label in labels if not (data / label.file).is_file()]
    if missing:
        raise BadInput(f"--labelled {data}: {len(missing)} of the labelled files are missing, such as {missing[0]}")
    progress = Progress(len(labels), sys.stderr)
    shown = list(show_all(data, labels, load_finder(), progress))
    progress.close()
    return asdict(agreement(shown, load_rubric()))
