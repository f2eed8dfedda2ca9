"""The regression gate: a run against a stored one, clip by clip."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.quality.bootstrap import LEAST, Interval, over_people
from benchmarks.quality.scores import BY_KEY
from benchmarks.quality.summary import Row, label
from engines.errors import BadInput


@dataclass(frozen=True, slots=True)
class Watched:
    """How a figure is watched."""

    unseen: float
    """The loss that nobody would see: intervals can be narrower than that"""
    merit: Callable[[float], float] = float
    """Of a value, higher when better"""


WATCHED = {
    "psnr": Watched(0.05),
    "psnr_face": Watched(0.05),
    # Darkness and haze move the plain PSNR by decibels: behind them detail may go unnoticed.
    "exposure_free": Watched(0.05),
    "ssim": Watched(0.0005),
    "sharpness": Watched(0.01, lambda value: -abs(1 - value)),
    "we": Watched(0.01, lambda value: -value),
}
"""One temporal figure is enough, and only where sharpness is known, too: whatever blurs is steady."""
PROTOCOL = ("protocol", "frames", "size")
"""Settings that must be the same on both sides"""
TEXTS = ("task", "strength", "name", "person", "method")
"""What every row says"""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a figure of a method in a task."""

    task: str
    method: str
    figure: str
    difference: Interval
    """Merit now less before, over people"""

    @property
    def judged(self) -> bool:
        """Whether there are enough people for an interval."""
        return self.difference.high is not None

    @property
    def lost(self) -> bool:
        """The whole interval lies below no change, and the loss is one to be seen."""
        high = self.difference.high
        return high is not None and high < 0 and self.difference.mean < -WATCHED[self.figure].unseen

    def __str__(self) -> str:
        return f"{self.task}, {self.method}: {self.moved}"

    @property
    def moved(self) -> str:
        """By how much the figure is better or worse, in its own unit."""
        d = self.difference
        way, word = (-1, "worse") if d.mean < 0 else (1, "better")
        ends = () if d.low is None or d.high is None else sorted((way * d.low, way * d.high))
        within = f" ({ends[0]:.4f} .. {ends[1]:.4f})" if ends else ""
        return f"{BY_KEY[self.figure].label} {word} by {way * d.mean:.4f}{within}"


def read(path: Path, settings: dict[str, Any]) -> list[Row]:
    """The rows of a stored run; BadInput when it is none, or not of this protocol."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        rows, other = stored["rows"], stored["settings"]
        if stored["bench"] != "quality" or not isinstance(rows, list) or not isinstance(other, dict):
            raise KeyError("bench")
    except OSError as error:
        raise BadInput(f"--against {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadInput(f"--against {path}: not a file that bench quality --json wrote") from error
    odd = next((place for place, row in enumerate(rows, 1) if not _is_row(row)), None)
    if odd is not None:
        raise BadInput(f"--against {path}: row {odd} of {len(rows)} is not one that bench quality writes")
    differing = [key for key in PROTOCOL if other.get(key) != settings.get(key)]
    if differing:
        raise BadInput(f"--against {path}: was run with other settings ({', '.join(differing)})")
    return rows


def _is_row(row: Any) -> bool:
    if not isinstance(row, dict) or not all(isinstance(row.get(key), str) for key in TEXTS):
        return False
    figures = row.get("figures")
    return isinstance(figures, dict) and all(
        isinstance(figures[key], (int, float)) and math.isfinite(figures[key]) for key in WATCHED if key in figures
    )


def changes(now: Iterable[Row], before: Iterable[Row], methods: Iterable[str]) -> list[Change]:
    """What the methods gained or lost on the clips that both runs have."""
    wanted = set(methods)
    old = {(label(r), r["name"], r["method"]): r["figures"] for r in before}
    pairs: dict[tuple[str, str, str], list[tuple[str, float]]] = {}
    for row in now:
        figures = old.get((label(row), row["name"], row["method"]))
        if figures is None or row["method"] not in wanted:
            continue
        for key, watched in WATCHED.items():
            needed = {key, "sharpness"} if BY_KEY[key].temporal else {key}
            if needed <= row["figures"].keys() & figures.keys():
                group = pairs.setdefault((label(row), row["method"], key), [])
                group.append((row["person"], watched.merit(row["figures"][key]) - watched.merit(figures[key])))
    found = []
    for (task, method, figure), values in pairs.items():
        difference = over_people(values)
        if difference is not None:
            found.append(Change(task, method, figure, difference))
    return found


def verdict(found: Sequence[Change]) -> list[str]:
    """What is said of the changes: every loss, temporal ones with sharpness beside, and what was not judged."""
    sharper = {(c.task, c.method): c for c in found if c.figure == "sharpness"}
    lines = []
    for change in found:
        if change.lost:
            beside = sharper.get((change.task, change.method)) if BY_KEY[change.figure].temporal else None
            lines.append(f"lost: {change}" + (f"; {beside.moved}" if beside else ""))
    judged = [change for change in found if change.judged]
    if judged and not lines:
        lines.append(f"no loss against the stored run in {len(judged)} comparisons")
    # A face that was found in few clips leaves a task with some figures that are judged, and some that are not.
    thin: dict[str, list[str]] = {}
    for change in found:
        if not change.judged and BY_KEY[change.figure].label not in thin.setdefault(change.task, []):
            thin[change.task].append(BY_KEY[change.figure].label)
    some = {change.task for change in judged}
    for task, figures in thin.items():
        what = f" ({', '.join(figures)})" if task in some else ""
        lines.append(f"not judged, for want of {LEAST} people that both runs have: {task}{what}")
    return lines
