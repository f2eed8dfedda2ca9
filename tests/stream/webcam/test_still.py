"""A picture as a source: it must be whole in each frame, and move."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.errors import BadInput
from stream.webcam import source, still
from stream.webcam.modes import Mode
from stream.webcam.source import Origin

MODE = Mode("still picture", 320, 240, Fraction(30))
BRIGHT = 200


@pytest.fixture
def bright(tmp_path: Path) -> Path:
    path = tmp_path / "bright.png"
    cv2.imwrite(str(path), np.full((500, 400, 3), 255, np.uint8))
    return path


def edges(frame: object) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is bright."""
    luma = np.asarray(frame.to_ndarray())[:240]  # type: ignore[attr-defined]
    rows, columns = np.nonzero(luma > BRIGHT)
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


def test_it_moves_and_never_leaves_the_frame(bright: Path) -> None:
    found = [edges(frame) for frame in islice(still.frames(str(bright), MODE), 0, 360, 10)]
    assert all(left > 0 and top > 0 and right < 319 and bottom < 239 for left, top, right, bottom in found)
    sizes = {(right - left, bottom - top) for left, top, right, bottom in found}
    assert all(abs(width / height - 400 / 500) < 0.02 for width, height in sizes), "its proportions stay"
    assert max(left for left, *_ in found) - min(left for left, *_ in found) > 0.06 * 320
    assert max(top for _, top, *_ in found) - min(top for _, top, *_ in found) > 0.04 * 240


def test_its_frames_come_at_the_rate_that_was_asked_for(bright: Path) -> None:
    slept: list[float] = []
    frames = source.frames(Origin("still", str(bright), MODE), clock=lambda: 0.0, sleep=slept.append)
    taken = list(islice(frames, 4))
    assert slept == pytest.approx([0.0, 1 / 30, 2 / 30, 3 / 30])
    assert [frame.time for frame in taken] == pytest.approx(slept)


def test_what_is_no_picture_is_told_before_anything_is_opened(tmp_path: Path) -> None:
    for name, data in (("letter.jpg", b"no picture"), ("empty.jpg", b"")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(BadInput, match=f"{name} cannot be opened: it is no picture"):
            source.probe(Origin("still", str(tmp_path / name), MODE))
