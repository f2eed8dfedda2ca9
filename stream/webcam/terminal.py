"""A preview in the terminal: two pixels to a letter, in 24-bit colours; the last line is left to the status."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import TextIO

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.errors import ClearcallError
from stream.webcam.errors import OutputClosed
from stream.webcam.output import Picture, Shape
from stream.webcam.picture import fitted

Colours = NDArray[np.uint8]
UPPER_HALF = "▀"
"""The letter's own colour is the upper pixel, the one behind it the lower."""
MOST_FPS = 15
"""Pictures a second: a terminal gets 20 to 40 bytes for each pixel."""
BEGIN, END = "\x1b[?1049h\x1b[?25l\x1b[2J", "\x1b[0m\x1b[?25h\x1b[?1049l"
"""To the second screen, cursor off; and back."""
CLEAR = "\x1b[0m\x1b[2J"


def half_blocks(colours: Colours) -> str:
    """RGB [2n, m, 3] as n rows of m letters, from the screen's first line on; a colour is told where it changes."""
    rows = []
    for number, (upper, lower) in enumerate(zip(colours[::2].tolist(), colours[1::2].tolist(), strict=True), 1):
        parts, front, back = [f"\x1b[{number};1H"], None, None
        for above, below in zip(upper, lower, strict=True):
            if above != front:
                front = above
                parts.append(f"\x1b[38;2;{above[0]};{above[1]};{above[2]}m")
            if below != back:
                back = below
                parts.append(f"\x1b[48;2;{below[0]};{below[1]};{below[2]}m")
            parts.append(UPPER_HALF)
        rows.append("".join(parts))
    return "\x1b[0m".join(rows) + "\x1b[0m"


def missing(stream: TextIO, environment: Mapping[str, str]) -> str | None:
    """Why this output cannot show pictures; None where it can."""
    if not stream.isatty():
        return "standard output is no terminal"
    if environment.get("TERM", "") in {"", "dumb"} and os.name != "nt":
        return "the terminal cannot move its cursor (TERM is unset or dumb)"
    try:
        UPPER_HALF.encode(stream.encoding)
    except UnicodeEncodeError:
        return f"the terminal's letters are {stream.encoding}: choose a UTF-8 locale"
    return None


def _size_of(stream: TextIO) -> tuple[int, int]:
    try:
        return os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return 80, 24


class TerminalPreview:
    """The terminal's second screen; who sits before it is the one reader."""

    idle_interval: float | None = None

    def __init__(
        self,
        shape: Shape,
        stream: TextIO | None = None,
        environment: Mapping[str, str] = os.environ,
        size: Callable[[TextIO], tuple[int, int]] = _size_of,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the terminal over; `size(stream)` tells its columns and rows.

        Raises:
            ClearcallError: It is none, or cannot show pictures.
        """
        self.name = "preview in the terminal"
        self._stream = sys.stdout if stream is None else stream
        if reason := missing(self._stream, environment):
            raise ClearcallError(reason)
        self._shape, self._size, self._clock = shape, size, clock
        self._shown: tuple[int, int] | None = None
        self._at: float | None = None
        self._open = True
        self._write(BEGIN)

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError as error:
            raise OutputClosed(f"the terminal is gone: {error.strerror}") from None

    def has_reader(self) -> bool:
        """Whoever has the terminal open reads."""
        return self._open

    def send(self, picture: Picture) -> bool:
        """Draw one picture, or none where the last was drawn only now; raises OutputClosed once the terminal is gone.

        Of 30 pictures a second every other one is meant to be left out: that is no drop.
        """
        now = self._clock()
        if not self._open:
            return False
        if self._at is not None and now - self._at < 0.9 / MOST_FPS:
            return True
        self._at = now
        columns, rows = self._size(self._stream)
        room = Shape(columns // 2 * 2, 2 * max(1, rows - 1), self._shape.rate)
        width, height = fitted(self._shape.width, self._shape.height, room)
        small = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_YUV2RGB_I420), (width, height), interpolation=cv2.INTER_AREA)
        start = "" if self._shown in {None, (columns, rows)} else CLEAR
        self._shown = columns, rows
        # The cursor ends where the status line is.
        self._write(f"{start}{half_blocks(np.asarray(small, np.uint8))}\x1b[{rows};1H")
        return True

    def close(self) -> None:
        """Give the terminal back as it was."""
        if self._open:
            self._open = False
            try:
                self._write(END)
            except OutputClosed:
                pass  # gone already
