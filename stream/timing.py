"""How long things take: a histogram of fixed size per stage."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

SHORTEST_S = 1e-5
LONGEST_S = 100.0
"""A large frame of a file, in several steps, may take half a minute without a GPU."""
BINS_PER_OCTAVE = 16
"""A quantile is right to half a bin, 2 %."""
_BINS = 2 + math.ceil(math.log2(LONGEST_S / SHORTEST_S) * BINS_PER_OCTAVE)
RECENT = 100
"""Durations that the recent figures are of, one to two times as many: three to seven seconds of a call."""


class Histogram:
    """Durations on a logarithmic scale; with a window, only the last ones count (between one and two windows)."""

    def __init__(self, window: int | None = None) -> None:
        """Start empty; `window` is a number of durations."""
        self._window = window
        self._now = np.zeros(_BINS, np.int64)
        self._before = np.zeros(_BINS, np.int64)
        self._in_window = 0
        self.count = 0
        """All durations so far."""
        self._recent = Histogram(RECENT) if window is None else self

    def add(self, seconds: float) -> None:
        """Count one duration."""
        if self._window is not None and self._in_window >= self._window:
            self._before, self._now = self._now, np.zeros(_BINS, np.int64)
            self._in_window = 0
        place = 0 if seconds <= SHORTEST_S else 1 + int(math.log2(seconds / SHORTEST_S) * BINS_PER_OCTAVE)
        self._now[min(place, _BINS - 1)] += 1
        self._in_window += 1
        self.count += 1
        if self._recent is not self:
            self._recent.add(seconds)

    @property
    def in_window(self) -> int:
        """Durations that count."""
        return int(self._now.sum() + self._before.sum())

    def quantile_ms(self, share: float) -> float:
        """The duration, in milliseconds, that `share` (0..1) of all durations do not exceed; 0 when there are none."""
        counts = np.cumsum(self._now + self._before)
        if not counts[-1]:
            return 0.0
        place = int(np.searchsorted(counts, max(1, math.ceil(share * counts[-1]))))
        return SHORTEST_S * 1e3 * (1.0 if place == 0 else 2 ** ((place - 0.5) / BINS_PER_OCTAVE))

    def figures(self) -> dict[str, float]:
        """Median and 95th percentile, as the doors show them, and the same of the last durations; of how many each."""
        recent = self._recent
        return {
            "median_ms": round(self.quantile_ms(0.5), 2),
            "p95_ms": round(self.quantile_ms(0.95), 2),
            "count": self.count,
            "recent_median_ms": round(recent.quantile_ms(0.5), 2),
            "recent_p95_ms": round(recent.quantile_ms(0.95), 2),
            "recent_count": recent.in_window,
        }


class Stages:
    """A histogram per stage of a frame's way; written by one thread."""

    def __init__(self, names: tuple[str, ...], clock: Callable[[], float] = time.perf_counter) -> None:
        self._histograms = {name: Histogram() for name in names}
        self._clock = clock
        self._since = 0.0

    def start(self) -> None:
        """A frame comes in."""
        self._since = self._clock()

    def done(self, name: str) -> None:
        """The stage that ran since the last call is done."""
        now = self._clock()
        self._histograms[name].add(now - self._since)
        self._since = now

    def figures(self) -> dict[str, dict[str, float]]:
        """The figures of each stage that ever ran."""
        return {name: h.figures() for name, h in self._histograms.items() if h.count}
