"""Wrong calls are one line, and where pictures go is said."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from stream.cli import main
from tests.training.curation.heads import KnownFinder
from tests.training.curation.material import EDGE, POINTS, write_folder
from training.curation import command
from training.curation.face import Square
from training.curation.judge import KEY_VARIABLE
from training.curation.likeness import LENGTH
from training.curation.store import Entry
from training.curation.verdict import Verdict


@pytest.fixture(autouse=True)
def without_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "load_finder", lambda: KnownFinder(POINTS, EDGE))
    monkeypatch.delenv(KEY_VARIABLE, raising=False)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--min-face", "0"], "--min-face"),
        (["--min-face", "nan"], "--min-face"),
        (["--min-seconds", "-1"], "--min-seconds"),
        (["--per-person", "-1"], "--per-person"),
        (["--judge", "somewhere"], "--judge must be"),
        (["--judge", "https://example.org", "--judge-timeout", "0"], "--judge-timeout"),
    ],
)
def test_a_wrong_call_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    assert main(["curate", str(tmp_path), *arguments]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and text in told


def test_a_key_is_not_sent_in_the_clear(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "secret-key")
    assert main(["curate", str(tmp_path), "--judge", "http://example.org/v1"]) == 2
    told = capsys.readouterr().err
    assert "in the clear" in told and "secret-key" not in told


def test_the_summary_counts_what_was_decided(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_folder(tmp_path / "material")
    assert main(["curate", str(folder), "--out", str(tmp_path / "out"), "--min-face", "500"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("0 of 6 faces kept")
    assert "6 face small" in told.out
    assert "skipped" in told.err


def test_counts_of_reasons_that_add_up_to_more_than_there_are_faces_are_explained() -> None:
    # Guards against "0 of 3 faces kept" above four failures, as if one were counted twice.
    entries = [Entry(name, name, {}, np.zeros(LENGTH, np.int32), Square(0, 0, 64), None, None, 0.0) for name in "ab"]
    both = [Verdict(entry, {}, reasons) for entry, reasons in zip(entries, (["blocks: 1", "size: 2"], []), strict=True)]
    said = command.summary(both, Path("out")).splitlines()
    assert said[1].endswith("may fail in several ways:") and len(said) == 4
    both[0].reasons.pop()
    assert "several" not in command.summary(both, Path("out"))


def test_photos_without_a_face_are_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "material").mkdir()
    cv2.imwrite(str(tmp_path / "material" / "wall.png"), np.zeros((EDGE, EDGE, 3), np.uint8))
    assert main(["curate", str(tmp_path / "material"), "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.startswith("0 of 0 faces kept")
