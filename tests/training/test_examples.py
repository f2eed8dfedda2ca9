"""The page of degradations: every task, on faces that are named."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.training.faces import pattern, write_stills
from training.degrade import TASKS
from training.examples import TILE, main, middle, row, rows, spread
from training.faces import list_faces


def test_every_task_has_a_row_and_more_strength_does_more() -> None:
    assert {name for name, _ in rows()} > set(TASKS)
    picture = middle(pattern(1))
    # The labels, which all tiles have, are left out.
    parts = [np.hsplit(row(picture, *what), 4) for what in rows()]
    for tiles in parts:
        off = [float(np.abs(t.astype(float) - tiles[0])[30:150].mean()) for t in tiles]
        assert off[0] == 0 < off[1] < off[3]


def test_faces_come_from_all_over_the_folder(tmp_path: Path) -> None:
    files = list_faces(write_stills(tmp_path, 9, 96))
    assert [f.identity for f in spread(files, 3)] == ["p0", "p4", "p8"]


def test_the_command_writes_the_page_and_names_the_faces(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faces = write_stills(tmp_path / "faces", len(rows()))
    (faces / "manifest.csv").write_text("file,licence\np1_still.png,CC0 (someone)\n")
    assert main([str(tmp_path / "page.jpg"), "--faces", str(faces)]) == 0
    assert capsys.readouterr().out == "CC0 (someone)\n"
    sheet = cv2.imread(str(tmp_path / "page.jpg"))
    assert sheet is not None and sheet.shape == (4 * TILE, 8 * TILE, 3)


def test_too_few_faces_and_a_missing_folder_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "page.jpg"), "--faces", str(write_stills(tmp_path / "faces", 2))]) == 2
    faces = write_stills(tmp_path / "more", len(rows()), 96)
    assert main([str(tmp_path / "missing" / "page.jpg"), "--faces", str(faces)]) == 2
    assert capsys.readouterr().err.count("examples: ") == 2
