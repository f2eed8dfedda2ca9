"""The regression gate: a run against a stored one, clip by clip."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.quality.bootstrap import Interval, over_people
from benchmarks.quality.summary import Row, label
from engines.errors import BadInput

WATCHED = {"psnr": 0.05, "ssim": 0.0005}
"""Figures, all of them better when higher, and the loss that nobody would see: intervals can be narrower than that."""
PROTOCOL = ("protocol", "frames", "size")
"""Settings that must be the same on both sides"""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a figure of a method in a task."""

    task: str
    method: str
    figure: str
    difference: Interval
    """now less before, over people"""

    @property
    def lost(self) -> bool:
        """The whole interval lies below no change, and the loss is one to be seen."""
        high = self.difference.high
        return high is not None and high < 0 and self.difference.mean < -WATCHED[self.figure]

    def __str__(self) -> str:
        d = self.difference
        ends = "" if d.low is None else f" ({d.low:+.4f} .. {d.high:+.4f})"
        return f"{self.task}, {self.method}: {self.figure} {d.mean:+.4f}{ends}"


def read(path: Path, settings: dict[str, Any]) -> list[Row]:
    """The rows of a stored run; BadInput when it is none, or not of this protocol."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        rows, other = stored["rows"], stored["settings"]
        if stored["bench"] != "quality":
            raise KeyError("bench")
    except OSError as error:
        raise BadInput(f"--against {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"--against {path}: not a file that bench quality --json wrote") from error
    differing = [key for key in PROTOCOL if other.get(key) != settings.get(key)]
    if differing:
        raise BadInput(f"--against {path}: was run with other settings ({', '.join(differing)})")
    return list(rows)


def changes(now: Iterable[Row], before: Iterable[Row], methods: Iterable[str]) -> list[Change]:
    """What the methods gained or lost on the clips that both runs have."""
    wanted = set(methods)
    old = {(label(r), r["name"], r["method"]): r["figures"] for r in before}
    pairs: dict[tuple[str, str, str], list[tuple[str, float]]] = {}
    for row in now:
        figures = old.get((label(row), row["name"], row["method"]))
        if figures is None or row["method"] not in wanted:
            continue
        for key in WATCHED:
            if key in row["figures"] and key in figures:
                group = pairs.setdefault((label(row), row["method"], key), [])
                group.append((row["person"], row["figures"][key] - figures[key]))
    found = []
    for (task, method, figure), values in pairs.items():
        difference = over_people(values)
        if difference is not None:
            found.append(Change(task, method, figure, difference))
    return found
