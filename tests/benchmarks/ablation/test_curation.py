"""Curation is judged on labelled faces: what is good must pass, what was damaged must not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.ablation.curation import agreement, measure_curation
from engines.errors import BadInput
from training.curation.labels import Label
from training.curation.rubric import load_rubric
from training.curation.shown import Shown

RUBRIC = load_rubric()
LABEL = Label("train/p001_neutral.jpg", None, "sharp", "good", "clean")


def shown(damage: str = "", bad: tuple[str, ...] = (), **measures: float) -> Shown:
    """A face that passes but for the measures that are given."""
    fine: Any = {"size": 400.0, "eyes": 9.0, "mouth": 9.0, "skin": 9.0, "motion": 9.0, "noise": 0.1, "dark": 250.0,
                 "bright": 0.0, "blocks": 0.0, "pose": 0.0}  # fmt: skip
    return Shown(LABEL, damage, fine | measures, bad, (), np.zeros(1, np.float32))


def test_shares_of_what_is_kept_and_rejected() -> None:
    faces = [
        shown(),
        shown(eyes=0.01),
        shown("soft", ("eyes",), eyes=0.01),
        shown("noisy", ("noise",)),
        # Nothing is wrong with another version of a picture, and nothing is asked of it.
        shown("mirrored", (), eyes=0.01),
    ]
    found = agreement(faces, RUBRIC)
    assert (found.kept, found.rejected, found.good, found.damaged) == (0.5, 0.5, 2, 2)


def test_nothing_to_judge_by_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no labelled faces"):
        agreement([shown()], RUBRIC)
    with pytest.raises(BadInput, match="labelled files are missing"):
        measure_curation(tmp_path)
