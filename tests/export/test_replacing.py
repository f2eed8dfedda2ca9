"""A model that does worse than the one that ships, put in its place unseen."""

from __future__ import annotations

import re
from typing import Any

import pytest

from export.replacing import Comparison, compare_dev


def training(noise: float, blur: float, clean: float = 99.0, **more: Any) -> dict[str, Any]:
    rows = {"noise": (28.0, noise), "blur": (36.0, blur), "clean": (99.0, clean)}
    return {"dev": {task: {"input": before, "output": after} for task, (before, after) in rows.items()}, **more}


def judged(new: dict[str, Any], old: dict[str, Any]) -> Comparison:
    found = compare_dev(new, old)
    assert isinstance(found, Comparison)
    return found


def test_the_mean_over_tasks_decides_by_hand() -> None:
    found = judged(training(38.5, 36.0, dev_files=31), training(38.0, 37.0, dev_files=31))
    assert found.differences == {"noise": 0.5, "blur": -1.0, "clean": 0.0}
    assert found.mean == -0.25 and found.worse
    assert str(found) == "noise +0.50, blur -1.00, clean +0.00; mean over tasks -0.25 dB"
    assert not judged(training(39.1, 36.0), training(38.0, 37.0)).worse


def test_the_same_weights_again_are_not_worse() -> None:
    # Guards against a refusal for what floating point makes of +0.01 and -0.01.
    assert not judged(training(38.01, 36.99), training(38.0, 37.0)).worse
    assert judged(training(38.0, 36.99), training(38.0, 37.0)).worse


def test_clean_pictures_are_shown_and_not_counted() -> None:
    found = judged(training(38.2, 37.0, clean=90.0), training(38.0, 37.0))
    assert found.differences["clean"] == -9.0 and found.mean == pytest.approx(0.1) and not found.worse


@pytest.mark.parametrize(
    ("new", "old", "reason"),
    [
        ({"dev": {}}, training(38, 37), "--dev is not given"),
        (training(38, 37), {}, "its manifest has no figures"),
        (training(30, 30, dev_files=10), training(38, 37, dev_files=31), "on 31 files, this one on 10"),
        ({"dev": {"rain": {"input": 1, "output": 2}}}, training(38, 37), "no task is in both"),
        (training(38, 37), {"dev": {"noise": {"input": 29.0, "output": 38.0}}}, "other files .noise differs"),
        (training(38, 37, dev_files=31), {"dev": {"noise": {"output": 38.0}}}, "other files"),
    ],
)
def test_what_cannot_be_compared_says_why(new: dict[str, Any], old: dict[str, Any], reason: str) -> None:
    # Guards against a verdict over different faces, in either direction.
    found = compare_dev(new, old)
    assert isinstance(found, str)
    assert re.search(reason, found)


def test_an_older_manifest_is_known_by_its_inputs() -> None:
    # Guards against a model that ships without a number of files, and so could be replaced by anything.
    assert judged(training(30, 30, dev_files=31), training(38, 37)).worse
