"""All material is found once, an earlier run's output is none, and what cannot be a photo is named."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.errors import BadInput
from tests.training.curation.heads import head
from tests.training.faces import write_clip
from training.curation.sources import SourceFile, count_frames, list_sources, load_photo


def write(path: Path, edge: int = 96) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), head(1, edge, edge / 2)[0])
    return path


def test_folders_are_walked_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/10.jpg", "a.JPG", ".hidden.jpg", ".cache/c.jpg", "out/kept/person.jpg"):
        write(tmp_path / name)
    write_clip(tmp_path / "b" / "c.mp4")
    (tmp_path / "notes.txt").write_text("no picture")
    found = list_sources(tmp_path, tmp_path / "out")
    assert [(s.name, s.video) for s in found] == [
        ("a.JPG", False),
        ("b/10.jpg", False),
        ("b/2.png", False),
        ("b/c.mp4", True),
    ]


def test_an_empty_folder_and_a_missing_one_are_wrong_calls(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no photos or videos"):
        list_sources(tmp_path, tmp_path / "out")
    with pytest.raises(BadInput, match="not a folder"):
        list_sources(tmp_path / "missing", tmp_path / "out")


def test_frames_are_counted_for_the_progress(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", frames=7)
    (tmp_path / "b.mp4").write_bytes(b"no video")
    assert [count_frames(SourceFile(p, p.name, v, 0, 0)) for p, v in ((clip, True), (tmp_path / "b.mp4", True))] == [
        7,
        1,
    ]
    assert count_frames(SourceFile(clip, "a.jpg", False, 0, 0)) == 1


def test_a_photo_of_odd_size_becomes_even(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((97, 131, 3), np.uint8))
    assert load_photo(tmp_path / "a.png").shape == (96, 130, 3)


def test_a_photo_that_lies_on_its_side_is_turned_up(tmp_path: Path) -> None:
    picture = np.zeros((80, 120, 3), np.uint8)
    picture[:, :20] = 255
    _, data = cv2.imencode(".jpg", picture)
    # EXIF with nothing but orientation 6: turn by a quarter clockwise.
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    exif = b"\xff\xe1" + struct.pack(">H", len(tiff) + 8) + b"Exif\0\0" + tiff
    (tmp_path / "a.jpg").write_bytes(data.tobytes()[:2] + exif + data.tobytes()[2:])
    turned = load_photo(tmp_path / "a.jpg")
    assert turned.shape == (120, 80, 3)
    assert turned[:10].mean() > 200 > 50 > turned[40:].mean()


def _png_of(width: int, height: int) -> bytes:
    """A tiny file that claims to be a huge picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "content", [b"", b"text", _png_of(60000, 60000), cv2.imencode(".png", np.zeros((40, 400), np.uint8))[1].tobytes()]
)
def test_what_is_no_usable_photo_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(BadInput, match=r"a\.png"):
        load_photo(tmp_path / "a.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_named_like_a_photo_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(BadInput, match="not a file"):
        load_photo(tmp_path / "a.jpg")
