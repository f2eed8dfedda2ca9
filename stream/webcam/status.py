"""The status line: rewritten on a terminal; elsewhere a line when something has changed, and now and then."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

from stream.webcam.headline import Story, tell

PAUSE_S = 1.0
"""Seconds between two looks."""
REMIND_S = 300.0
"""Seconds after which a line with the figures is due where there is no terminal, while somebody reads."""


def details(figures: Mapping[str, object]) -> list[str]:
    """What changes all the time: rate, added delay, camera, drops, prompt; nothing while nobody looks."""
    filtered, sent = figures.get("filter"), figures.get("sent")
    if not figures.get("reader") or not isinstance(filtered, Mapping) or not isinstance(sent, Mapping):
        return []
    parts = [f"{filtered.get('fps', 0.0):.1f} fps"]
    if isinstance(added := filtered.get("added_ms"), Mapping):
        parts.append(f"{added['median']:.0f} ms in the filter")
    camera = figures.get("camera")
    if isinstance(camera, Mapping):
        rate = f" {camera['fps']:.1f} fps" if camera["fps"] else ""
        parts.append(f"camera {camera['width']}x{camera['height']} {camera['format']}{rate}")
    quality = filtered.get("quality")
    if isinstance(quality, Mapping) and quality.get("level", 0) > quality.get("usual", 0):
        parts.append(f"short of time: {quality['name']}")
    parts += [f"{sent.get('repeated', 0)} repeated", f"{_dropped(figures, filtered)} dropped"]
    if figures.get("on"):
        parts.append(f"{figures.get('prompt')} at {figures.get('strength'):g}")
    return parts


def fitted(text: str, parts: Sequence[str], columns: int) -> str:
    """The text and as many parts as the line has room for, none of them cut."""
    for count in range(len(parts), 0, -1):
        if len(line := f"{text}  {', '.join(parts[:count])}") <= columns:
            return line
    return text[:columns]


def _dropped(figures: Mapping[str, object], filtered: Mapping[str, object]) -> int:
    """Pictures that were lost on the way: before, in and after the filter, and at the virtual camera."""
    dropped, not_taken = filtered.get("dropped"), figures.get("not_taken")
    lost = sum(dropped.values()) if isinstance(dropped, Mapping) else 0
    return lost + (not_taken if isinstance(not_taken, int) else 0)


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
        self._story = Story()
        self._at: float | None = None
        self._told_at = 0.0

    def update(self, now: float) -> None:
        """Show what is to be shown at `now` seconds."""
        if self._at is not None and now - self._at < PAUSE_S:
            return
        self._at = now
        figures = self._figures()
        self._story = tell(self._story, figures, now)
        text, parts = self._story.text, details(figures)
        if self._live:
            line = fitted(text or "the camera starts", parts, self._columns() - 1)
            if line != self._shown:
                print(f"\r{line:{len(self._shown)}}", end="", file=self._stream, flush=True)
            self._shown = line
            return
        reminder = parts and now - self._told_at >= REMIND_S
        if text and (text != self._shown or reminder):
            line = f"{text}  {', '.join(parts)}" if text == self._shown else text
            print(f"clearcall: {line}", file=self._stream, flush=True)
            self._shown, self._told_at = text, now

    def close(self) -> None:
        """Wipe the line off the terminal."""
        if self._live and self._shown:
            print(f"\r{'':{len(self._shown)}}\r", end="", file=self._stream, flush=True)
        self._shown = ""
