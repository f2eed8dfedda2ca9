"""What an arm does differently from the whole generator, case by case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.quality.bootstrap import Interval, over_people
from benchmarks.quality.summary import Row, label

Rows = dict[str, list[Row]]
"""Arm to its rows, one a case"""


def difference(
    rows: Rows, arm: str, base: str, figure: str, tasks: Sequence[str] | None = None
) -> Interval | None:
    """The arm's figure less the base's on the same cases: mean over people and interval; None without any."""
    before = {(label(r), r["name"]): r["figures"] for r in rows.get(base, [])}
    values = []
    for row in _of(rows.get(arm, []), tasks):
        other = before.get((label(row), row["name"]), {})
        if figure in row["figures"] and figure in other:
            values.append((row["person"], row["figures"][figure] - other[figure]))
    return over_people(values)


def average(rows: Rows, arm: str, figure: str, tasks: Sequence[str] | None = None) -> float | None:
    """Mean of a figure over people."""
    chosen = _of(rows.get(arm, []), tasks)
    found = over_people([(r["person"], r["figures"][figure]) for r in chosen if figure in r["figures"]])
    return None if found is None else found.mean


def _of(rows: Iterable[Row], tasks: Sequence[str] | None) -> list[Row]:
    return [row for row in rows if tasks is None or row["task"] in tasks]


def falls(interval: Interval | None) -> bool | None:
    """Whether the whole interval lies below 0; None where there is no interval."""
    return None if interval is None or interval.high is None else interval.high < 0


def rises(interval: Interval | None) -> bool | None:
    """Whether the whole interval lies above 0; None where there is no interval."""
    return None if interval is None or interval.low is None else interval.low > 0
