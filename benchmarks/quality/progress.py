"""How far a run is: a line that is written over on a terminal, now and then a plain one elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

from stream.files.progress import duration

BAR = 24
PAUSE_TERMINAL, PAUSE_PLAIN = 0.0, 15.0
"""Seconds between two lines"""


def line(done: int, total: int, fresh: int, seconds: float, what: str) -> str:
    """`done` of `total` cases, `fresh` of them in the last `seconds`; the rest was there before."""
    filled = BAR * done // max(1, total)
    left = f"  {duration((total - done) * seconds / fresh)} left" if fresh else ""
    return f"[{'#' * filled}{'-' * (BAR - filled)}] {done}/{total}{left}  {what}"


class Progress:
    """Writes `line` to a stream, not too often."""

    def __init__(
        self, total: int, before: int, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._total, self._before, self._clock = total, before, clock
        self._stream = sys.stderr if stream is None else stream
        self._live = self._stream.isatty()
        self._start = clock()
        self._last = self._start - PAUSE_PLAIN
        self._shown = 0

    def update(self, done: int, what: str) -> None:
        """Say that `done` cases are done and `what` comes now."""
        now = self._clock()
        if now - self._last < (PAUSE_TERMINAL if self._live else PAUSE_PLAIN):
            return
        self._last = now
        text = line(done, self._total, done - self._before, now - self._start, what)[:100]
        print(f"\r{text:{self._shown}}" if self._live else text, end="" if self._live else "\n", file=self._stream)
        self._stream.flush()
        self._shown = len(text)

    def close(self) -> None:
        """Wipe the line off the terminal."""
        if self._shown and self._live:
            print(f"\r{'':{self._shown}}\r", end="", file=self._stream, flush=True)
