"""`--compare A B`: whether B is better than A, from the repeats of two runs paired in their order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engines.errors import BadInput

RESAMPLES = 10_000
SURE = 0.95
ENOUGH = 6
"""Pairs; fewer can fall on one side by chance more often than once in twenty, whatever was measured (2 / 2⁵ = 6 %)."""
HIGHER_IS_BETTER = {"fps"}
METRICS = ("p50", "p95", "p99", "own p50", "own p95", "fps", "missing", "relay cpu %")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One figure of two runs."""

    metric: str
    a: float
    """Median of the first run's repeats."""
    b: float
    change: float
    """Median of the differences b - a of the pairs."""
    low: float
    """Ends of the interval of the change."""
    high: float
    pairs: int

    @property
    def text(self) -> str:
        """What may be said."""
        if self.pairs < ENOUGH:
            return f"too few repeats to judge: {self.pairs} of {ENOUGH}"
        if self.low <= 0 <= self.high:
            return "no difference shown"
        return "B is better" if (self.change > 0) == (self.metric in HIGHER_IS_BETTER) else "A is better"


def read(path: Path) -> dict[str, Any]:
    """A run that `--json` wrote.

    Raises:
        BadInput: It is none.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"--compare: {path} cannot be read") from error
    if not isinstance(value, dict) or value.get("bench") != "latency" or not value.get("repeats"):
        raise BadInput(f"--compare: {path} was not written by bench latency --json")
    return value


def lines(a: dict[str, Any], b: dict[str, Any]) -> Iterator[str]:
    """The comparison for a terminal."""
    for key in ("shape", "codec", "callers", "seconds"):
        if a["settings"][key] != b["settings"][key]:
            raise BadInput(f"--compare: {key} is {a['settings'][key]} in A and {b['settings'][key]} in B")
    yield f"A: {a['target']}, {a['when']}"
    yield f"B: {b['target']}, {b['when']}"
    yield f"{'':<12}{'A':>9}{'B':>9}{'B-A':>9}{'95 % interval':>20}"
    for metric in METRICS:
        pairs = [
            (first, second)
            for first, second in zip(values(a, metric), values(b, metric), strict=False)
            if first is not None and second is not None
        ]
        if pairs:
            found = judge(metric, pairs)
            interval = f"{found.low:.2f} to {found.high:.2f}"
            yield f"{metric:<12}{found.a:>9.2f}{found.b:>9.2f}{found.change:>9.2f}{interval:>20}  {found.text}"


def values(run: dict[str, Any], metric: str) -> list[float | None]:
    """A figure of each repeat; None where it is not there."""
    return [_value(repeat, metric) for repeat in run["repeats"]]


def judge(metric: str, pairs: Sequence[tuple[float, float]]) -> Verdict:
    """Median of the differences, and its interval by the bootstrap (percentiles, over the pairs)."""
    both = np.array(pairs, float)
    differences = both[:, 1] - both[:, 0]
    drawn = np.random.default_rng(1).integers(0, len(pairs), (RESAMPLES, len(pairs)))
    medians = np.median(differences[drawn], axis=1)
    low, high = np.quantile(medians, [(1 - SURE) / 2, (1 + SURE) / 2])
    a, b = np.median(both, axis=0)
    return Verdict(metric, float(a), float(b), float(np.median(differences)), float(low), float(high), len(pairs))


def _value(repeat: dict[str, Any], metric: str) -> float | None:
    on, off = repeat["on"], repeat.get("off")
    if metric == "relay cpu %":
        used = on["processes"].get("relay")
        return None if used is None else float(used["cpu_percent"])
    if metric.startswith("own "):
        name = metric.removeprefix("own ")
        return None if off is None or None in (on[name], off[name]) else float(on[name] - off[name])
    return None if on[metric] is None else float(on[metric])
