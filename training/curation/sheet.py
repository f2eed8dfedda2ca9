"""Contact sheets: every face with a green or a red frame and the first reason against it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from engines.errors import ClearcallError
from training.curation.store import read_picture, write_picture
from training.curation.verdict import Verdict
from training.faces import Picture

COLUMNS, ROWS = 10, 8
PICTURE, BORDER = 144, 4
LINE = 13
KEPT, REJECTED, PAPER, INK = (80, 170, 60), (50, 50, 210), (255, 255, 255), (40, 40, 40)
"""BGR"""
_WIDTH, _HEIGHT = PICTURE + 4 * BORDER, PICTURE + 4 * BORDER + 3 * LINE
_LETTERS = 22
"""Characters in a line under a picture."""


def write_sheets(out: Path, verdicts: Sequence[Verdict]) -> list[Path]:
    """Write sheet-001.jpg and so on, the kept ones first, and remove pages that are no longer; one page at a time.

    Raises:
        ClearcallError: A page cannot be written.
    """
    ordered = sorted(verdicts, key=lambda v: not v.kept)
    pages: list[Path] = []
    try:
        for start in range(0, len(ordered), COLUMNS * ROWS):
            path = out / f"sheet-{len(pages) + 1:03d}.jpg"
            write_picture(path, page(out, ordered[start : start + COLUMNS * ROWS]))
            pages.append(path)
        for stale in out.glob("sheet-[0-9][0-9][0-9].jpg"):
            if stale not in pages:
                stale.unlink()
    except OSError as error:
        raise ClearcallError(f"cannot write {out}: {error.strerror}") from error
    return pages


def page(out: Path, verdicts: Sequence[Verdict]) -> Picture:
    """One page [H, W, 3], BGR, of at most `COLUMNS` x `ROWS` faces."""
    rows = -(-len(verdicts) // COLUMNS)
    sheet = np.full((rows * _HEIGHT, min(len(verdicts), COLUMNS) * _WIDTH, 3), PAPER, np.uint8)
    for index, verdict in enumerate(verdicts):
        y, x = index // COLUMNS * _HEIGHT, index % COLUMNS * _WIDTH
        _draw(sheet[y : y + _HEIGHT, x : x + _WIDTH], read_picture(out / verdict.entry.picture), verdict)
    return sheet


def _draw(cell: Picture, picture: Picture | None, verdict: Verdict) -> None:
    colour = KEPT if verdict.kept else REJECTED
    end = PICTURE + 3 * BORDER
    cv2.rectangle(cell, (BORDER, BORDER), (end - 1, end - 1), colour, -1)
    if picture is not None:
        inside = np.s_[2 * BORDER : 2 * BORDER + PICTURE, 2 * BORDER : 2 * BORDER + PICTURE]
        cell[inside] = cv2.resize(picture, (PICTURE, PICTURE), interpolation=cv2.INTER_AREA)
    name = verdict.entry.id
    name = name if len(name) <= _LETTERS else "..." + name[3 - _LETTERS :]
    reason = verdict.reasons[0] if verdict.reasons else "kept"
    for number, text in enumerate((name, reason[:_LETTERS], reason[_LETTERS : 2 * _LETTERS])):
        # OpenCV writes ASCII alone; what else a name holds becomes a question mark.
        plain = text.encode("ascii", "replace").decode()
        place = (BORDER, end + (number + 1) * LINE - 2)
        cv2.putText(cell, plain, place, cv2.FONT_HERSHEY_SIMPLEX, 0.36, INK, 1, cv2.LINE_AA)
