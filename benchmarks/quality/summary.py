"""From rows to tables: a row is one method on one case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from benchmarks.quality.bootstrap import over_people
from benchmarks.quality.methods import REFERENCE, UNTOUCHED
from benchmarks.quality.scores import METRICS
from training.measures import EQUAL

Row = dict[str, Any]
"""name, person, task, strength, method, ms, setting, figures"""
CLEAN_BAR = 42.0
"""dB that has to be left of a clip that went in clean; what falls below has been spoilt."""


def label(row: Row) -> str:
    """Task and, unless it is the middle one, strength."""
    return str(row["task"]) + (f" ({row['strength']})" if row["strength"] not in ("", "middle") else "")


def summary(rows: Iterable[Row]) -> dict[str, dict[str, Any]]:
    """By task and method: each figure's mean over people and interval, the same of the gain in PSNR, the time.

    The gain is over the untouched input of the very same clips.
    """
    tasks: dict[str, dict[str, list[Row]]] = {}
    for row in rows:
        tasks.setdefault(label(row), {}).setdefault(row["method"], []).append(row)
    return {
        task: {name: _method(found, methods.get(UNTOUCHED, [])) for name, found in methods.items()}
        for task, methods in tasks.items()
    }


def _method(rows: list[Row], inputs: list[Row]) -> dict[str, Any]:
    figures = {}
    for metric in METRICS:
        found = over_people([(r["person"], r["figures"][metric.key]) for r in rows if metric.key in r["figures"]])
        if found is not None:
            figures[metric.key] = asdict(found)
    # What the clean clip gains over the input says nothing.
    before = {r["name"]: r["figures"] for r in inputs if rows[0]["method"] != REFERENCE}
    gains = {}
    for key in ("psnr", "exposure_free"):
        found = over_people(
            [
                (r["person"], r["figures"][key] - before[r["name"]][key])
                for r in rows
                if key in r["figures"] and key in before.get(r["name"], {})
            ]
        )
        if found is not None:
            gains[key] = asdict(found)
    times = [r["ms"] for r in rows if r["ms"] is not None]
    return {"clips": len(rows), "ms": median(times) if times else None, "figures": figures, "gain": gains}


def worst(rows: Iterable[Row], method: str) -> list[tuple[float, Row]]:
    """Gains in PSNR of a method over the untouched input, the worst first; clean clips have `kept_clean`."""
    found = [(after - before, row) for before, after, row in _before_after(rows, method) if before < EQUAL]
    return sorted(found, key=lambda pair: pair[0])


def kept_clean(rows: Iterable[Row], method: str) -> list[tuple[float, Row]]:
    """PSNR of what a method made of the clips that went in clean, the worst first: they have nothing to gain."""
    found = [(after, row) for before, after, row in _before_after(rows, method) if before >= EQUAL]
    return sorted(found, key=lambda pair: pair[0])


def _before_after(rows: Iterable[Row], method: str) -> list[tuple[float, float, Row]]:
    rows = list(rows)
    before = {(label(r), r["name"]): r["figures"].get("psnr") for r in rows if r["method"] == UNTOUCHED}
    found = []
    for row in rows:
        start = before.get((label(row), row["name"]))
        if row["method"] == method and start is not None and "psnr" in row["figures"]:
            found.append((start, row["figures"]["psnr"], row))
    return found


def clean_sentence(kept: Sequence[float]) -> str:
    """How many clean clips were spoilt, of the PSNR that each came out with; empty without clean clips."""
    if not kept:
        return ""
    spoilt = sum(value < CLEAN_BAR for value in kept)
    told = f"Of {len(kept)} clean clips, {spoilt} came out below {CLEAN_BAR:g} dB"
    return f"{told}; the worst has {min(kept):.2f} dB left."
