"""How long a frame's way through the relay takes before and after the filter; the filter times its own stages."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType

from stream.timing import Histogram

MAX_OPEN = 64
"""Frames between two points of their way; more than that never came out, and the oldest are given up."""


class Passage:
    """The time from one point of the way to a later one, frames told apart by their time stamps."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.times = Histogram()
        self._clock = clock
        self._entered: dict[int, float] = {}

    def enter(self, timestamp: int) -> None:
        """A frame is here."""
        if len(self._entered) >= MAX_OPEN:
            self._entered.pop(next(iter(self._entered)))
        self._entered[timestamp] = self._clock()

    def leave(self, timestamp: int | None) -> None:
        """A frame is there; one that never entered does not count."""
        since = None if timestamp is None else self._entered.pop(timestamp, None)
        if since is not None:
            self.times.add(self._clock() - since)


class Watch:
    """Times what runs within `with`, by one thread at a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.times = Histogram()
        self.ended: float | None = None
        """When it last ended, on the clock; None before."""
        self._clock = clock
        self._began = 0.0

    def __enter__(self) -> None:
        self._began = self._clock()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.ended = self._clock()
        self.times.add(self.ended - self._began)


def figures(stages: Mapping[str, Histogram]) -> dict[str, dict[str, float]]:
    """The figures of each stage that ever ran."""
    return {name: times.figures() for name, times in stages.items() if times.count}
