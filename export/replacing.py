"""Whether a model may take the place of the one that is there: not where it does worse on the same faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CLEAN = "clean"
"""No task: the right prompt asks for nothing there, and of 99 dB and 97 nobody sees the difference."""
SAME_INPUT_DB = 0.05
"""As far as inputs may be apart that are the same damage to the same faces, encoded by another release of a codec."""
LESS_DB = 0.0005
"""Figures have two digits: a smaller difference of means is one of rounding."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """PSNR under the right prompt, of the new model less that of the old one, dB."""

    differences: dict[str, float]
    """By task, `CLEAN` among them"""
    mean: float
    """Over the tasks, without `CLEAN`"""

    @property
    def worse(self) -> bool:
        """Whether the new one must not replace the old one."""
        return self.mean < -LESS_DB

    def __str__(self) -> str:
        shown = ", ".join(f"{task} {db:+.2f}" for task, db in self.differences.items())
        return f"{shown}; mean over tasks {self.mean:+.2f} dB"


def compare_dev(new: Mapping[str, Any], old: Mapping[str, Any]) -> Comparison | str:
    """Compare what two manifests say of a training; a string says why they cannot be compared.

    They must have been scored on as many files. A manifest that does not say on how many is taken to be of the same
    files where the damaged inputs have the same PSNR.
    """
    if not new.get("dev"):
        return "--dev is not given"
    if not old.get("dev"):
        return "its manifest has no figures"
    ours, theirs = _figures(new["dev"], "output"), _figures(old["dev"], "output")
    tasks = [task for task in ours if task in theirs and task != CLEAN]
    if not tasks:
        return "no task is in both"
    counts = new.get("dev_files"), old.get("dev_files")
    if None not in counts:
        if counts[0] != counts[1]:
            return f"it was scored on {counts[1]} files, this one on {counts[0]}"
    else:
        before, then = _figures(new["dev"], "input"), _figures(old["dev"], "input")
        apart = [task for task in tasks if not _near(before.get(task), then.get(task))]
        if apart:
            return f"it was scored on other files ({apart[0]} differs before it is restored)"
    differences = {task: round(ours[task] - theirs[task], 2) for task in ours if task in theirs}
    return Comparison(differences, sum(differences[task] for task in tasks) / len(tasks))


def _figures(dev: Mapping[str, Any], name: str) -> dict[str, float]:
    return {task: float(row[name]) for task, row in dev.items() if isinstance(row, Mapping) and name in row}


def _near(a: float | None, b: float | None) -> bool:
    return a is not None and b is not None and abs(a - b) <= SAME_INPUT_DB
