"""How long the stages take: every frame's time kept as one number, so that medians are exact."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Mapping

import numpy as np


class Timings:
    """Seconds per frame and stage. Each stage is written by one thread only."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock = clock
        self._seconds: dict[str, array[float]] = {}

    def add(self, stage: str, seconds: float) -> None:
        """Note that one frame took so long in a stage."""
        self._seconds.setdefault(stage, array("d")).append(seconds)

    def stages(self) -> dict[str, tuple[float, float]]:
        """Stage to median and 95th percentile in milliseconds."""
        return {
            name: (float(np.median(seconds)) * 1e3, float(np.percentile(seconds, 95)) * 1e3)
            for name, seconds in self._seconds.items()
        }


def table(stages: Mapping[str, tuple[float, float]]) -> str:
    """Stages, one a line, with median and 95th percentile in milliseconds."""
    rows = [f"{'stage':<10} {'median ms':>10} {'p95 ms':>8}"]
    rows += [f"{name:<10} {median:>10.2f} {high:>8.2f}" for name, (median, high) in stages.items()]
    return "\n".join(rows)
