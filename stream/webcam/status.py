"""The status line: rewritten on a terminal, elsewhere a line only when something has changed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from typing import TextIO

PAUSE_S = 1.0
"""Seconds between two looks."""


def headline(figures: Mapping[str, object]) -> str:
    """What changes seldom: on or off, the camera, the reader, what is wrong."""
    if trouble := figures.get("trouble"):
        return f"trouble: {trouble}"
    if not figures.get("reader"):
        return "nobody is looking, the camera is " + ("still open" if figures.get("camera_open") else "closed")
    return "restoring" if figures.get("on") else "switched off: the camera as it is"


def detail(figures: Mapping[str, object]) -> str:
    """What changes all the time: rate, added delay, repeats; empty while nobody looks."""
    filtered, sent = figures.get("filter"), figures.get("sent")
    if not figures.get("reader") or not isinstance(filtered, Mapping) or not isinstance(sent, Mapping):
        return ""
    added = filtered.get("added_ms")
    delay = f"{added['median']:.0f} ms in the filter, " if isinstance(added, Mapping) else ""
    return f"{filtered.get('fps', 0.0):.1f} fps, {delay}{sent.get('repeated', 0)} repeated"


class Status:
    """Shows figures now and then."""

    def __init__(
        self,
        figures: Callable[[], Mapping[str, object]],
        stream: TextIO | None = None,
        columns: Callable[[], int] = lambda: shutil.get_terminal_size().columns,
    ) -> None:
        self._figures = figures
        self._stream = sys.stderr if stream is None else stream
        self._columns = columns
        self._live = self._stream.isatty()
        self._shown = ""
        self._at: float | None = None

    def update(self, now: float) -> None:
        """Show what is to be shown at `now` seconds."""
        if self._at is not None and now - self._at < PAUSE_S:
            return
        self._at = now
        figures = self._figures()
        if self._live:
            text = "  ".join(part for part in (headline(figures), detail(figures)) if part)[: self._columns() - 1]
            if text != self._shown:
                print(f"\r{text:{len(self._shown)}}", end="", file=self._stream, flush=True)
        elif (text := headline(figures)) != self._shown:
            print(f"clearcall: {text}", file=self._stream, flush=True)
        self._shown = text

    def close(self) -> None:
        """Wipe the line off the terminal."""
        if self._live and self._shown:
            print(f"\r{'':{len(self._shown)}}\r", end="", file=self._stream, flush=True)
        self._shown = ""
