"""What was found survives a run that breaks off anywhere, and whatever is damaged is made again."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from engines.errors import BadInput
from tests.training.curation.heads import head
from training.curation.face import Square, cut_face
from training.curation.found import Found, Span
from training.curation.likeness import signature
from training.curation.measures import measure
from training.curation.rubric import load_rubric
from training.curation.sources import SourceFile
from training.curation.store import LINES, Store, read_picture

FACE = cut_face(*head(1))
MEASURES = measure(FACE)
PHOTO = Found(MEASURES, signature(FACE), FACE.cut, Square(2, 4, 272))
TRACK = Found(
    {**MEASURES, "jitter": 1.0, "seconds": 3.0},
    signature(FACE),
    FACE.cut,
    Square(0, 0, 80),
    Span(5, 94),
    Span(5, 84),
    30.0,
)


def source(name: str = "a.jpg", size: int = 10, changed: int = 7) -> SourceFile:
    return SourceFile(Path("/nowhere") / name, name, name.endswith("mp4"), size, changed)


def opened(out: Path) -> Store:
    return Store(out, load_rubric())


def test_what_was_found_is_known_again(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        photo = store.add(source(), [PHOTO, PHOTO])
        track = store.add(source("b.mp4"), [TRACK])
        none = store.add(source("c.jpg"), [])
    with opened(tmp_path) as again:
        for name, entries in (("a.jpg", photo), ("b.mp4", track), ("c.jpg", none)):
            known = again.entries(source(name))
            assert known is not None and [e.id for e in known] == [e.id for e in entries]
            for one, other in zip(known, entries, strict=True):
                assert np.array_equal(one.signature, other.signature)
                assert (one.measures, one.square, one.frames, one.window) == (
                    other.measures,
                    other.square,
                    other.frames,
                    other.window,
                )
                assert read_picture(tmp_path / one.picture) is not None
        assert again.entries(source("d.jpg")) is None


@pytest.mark.parametrize("other", [source(size=11), source(changed=8)])
def test_a_changed_file_is_scanned_again(tmp_path: Path, other: SourceFile) -> None:
    with opened(tmp_path) as store:
        store.add(source(), [PHOTO])
    with opened(tmp_path) as store:
        assert store.entries(other) is None
        assert store.entries(source()) is not None


def test_other_limits_scan_again(tmp_path: Path) -> None:
    # They choose a track's best window.
    with opened(tmp_path) as store:
        store.add(source(), [PHOTO])
    with Store(tmp_path, load_rubric().with_limit("eyes", 0.9)) as store:
        assert store.entries(source()) is None


def test_a_half_written_line_loses_its_source_alone(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.add(source("a.jpg"), [PHOTO])
        store.add(source("b.jpg"), [PHOTO])
    lines = (tmp_path / LINES).read_bytes()
    (tmp_path / LINES).write_bytes(lines[:-40])
    with opened(tmp_path) as store:
        assert store.damaged == 1
        assert store.entries(source("a.jpg")) is not None and store.entries(source("b.jpg")) is None
        store.add(source("b.jpg"), [PHOTO])
    with opened(tmp_path) as store:
        assert store.entries(source("a.jpg")) is not None and store.entries(source("b.jpg")) is not None


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"source": "a.jpg"}',
        b'{"source": 1, "key": [], "entries": []}',
        b'{"source": "a.jpg", "key": [], "entries": [{"signature": [1]}]}',
        b'{"source": "a.jpg", "key": [], "entries": 7}',
    ],
)
def test_a_damaged_line_is_counted_and_skipped(tmp_path: Path, line: bytes) -> None:
    (tmp_path / LINES).write_bytes(line + b"\n")
    with opened(tmp_path) as store:
        assert store.damaged == 1 and store.entries(source()) is None


def test_a_damaged_measure_is_a_damaged_line(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.add(source(), [PHOTO])
    raw = json.loads((tmp_path / LINES).read_text())
    raw["entries"][0]["measures"]["eyes"] = "sharp"
    (tmp_path / LINES).write_text(json.dumps(raw) + "\n")
    with opened(tmp_path) as store:
        assert store.damaged == 1


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_a_lost_picture_is_made_again(tmp_path: Path, content: bytes | None) -> None:
    with opened(tmp_path) as store:
        (entry,) = store.add(source(), [PHOTO])
    if content is None:
        os.unlink(tmp_path / entry.picture)
    else:
        (tmp_path / entry.picture).write_bytes(content)
    with opened(tmp_path) as store:
        assert store.entries(source()) is None


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    with opened(tmp_path), pytest.raises(BadInput, match="another run"):
        opened(tmp_path)


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(BadInput, match="out"):
        opened(tmp_path / "out")
