"""How far a file is: a bar on a terminal, now and then a plain line elsewhere."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

TERMINAL_PAUSE = 0.2
PLAIN_PAUSE = 10.0
"""Seconds between two lines, on a terminal and elsewhere."""


@dataclass(slots=True, frozen=True)
class Standing:
    """How far the work is."""

    done: int
    """Frames done."""
    total: int | None
    """Frames in all, None where the file does not say; may be a guess."""
    seconds: float
    """Seconds since the start."""


def duration(seconds: float) -> str:
    """Hours, minutes and seconds: 0:07, 12:30, 1:02:03."""
    whole = round(max(0.0, seconds))
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def line(standing: Standing, columns: int) -> str:
    """The progress in at most `columns` characters; a bar only where there is room for one."""
    done, fps = standing.done, standing.done / standing.seconds if standing.seconds > 0 else 0.0
    if not standing.total:
        return f"{done} frames  {fps:.1f} fps  {duration(standing.seconds)}"[:columns]
    # The total may be a guess from the duration, and too low.
    total = max(standing.total, done)
    left = f"  {duration((total - done) / fps)} left" if fps > 0 else ""
    text = f"{100 * done // total:3d} %  {done}/{total} frames  {fps:.1f} fps{left}"
    room = min(30, columns - len(text) - 4)
    if room < 5:
        return text[:columns]
    filled = room * done // total
    return f"[{'#' * filled}{'-' * (room - filled)}]  {text}"


class Progress:
    """Writes `line` to a stream, not too often."""

    def __init__(
        self,
        total: int | None,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        columns: Callable[[], int] = lambda: shutil.get_terminal_size().columns,
        quiet: bool = False,
    ) -> None:
        self._quiet = quiet
        self._total = total
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._columns = columns
        self._live = self._stream.isatty()
        self._start = self._last = clock()
        self._shown = 0

    def update(self, done: int) -> None:
        """Say that `done` frames are done; writes only if it is time for it."""
        now = self._clock()
        if self._quiet or now - self._last < (TERMINAL_PAUSE if self._live else PLAIN_PAUSE):
            return
        self._last = now
        # One column stays free: some terminals wrap when the last one is written.
        text = line(Standing(done, self._total, now - self._start), self._columns() - 1 if self._live else 100)
        print(f"\r{text:{self._shown}}" if self._live else text, end="" if self._live else "\n", file=self._stream)
        self._stream.flush()
        self._shown = len(text)

    def close(self) -> None:
        """Wipe the bar off the terminal: what comes next starts on a clean line."""
        if self._shown and self._live:
            print(f"\r{'':{self._shown}}\r", end="", file=self._stream, flush=True)
        self._shown = 0
