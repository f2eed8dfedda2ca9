"""Reading training material; what cannot be used is named."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.errors import BadInput
from tests.training.faces import pattern, write_clip, write_stills
from training.faces import attributions, list_faces, load_clip, load_still


def test_files_are_listed_by_name_with_their_person(tmp_path: Path) -> None:
    write_stills(tmp_path, 2, 64)
    write_clip(tmp_path / "p0_clip.mp4", 64)
    (tmp_path / "notes.txt").write_text("not a face")
    assert [(f.path.name, f.identity, f.clip) for f in list_faces(tmp_path)] == [
        ("p0_clip.mp4", "p0", True),
        ("p0_still.png", "p0", False),
        ("p1_still.png", "p1", False),
    ]


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_a_folder_without_faces_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=name):
        list_faces(tmp_path / name)


def test_a_still_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = write_stills(tmp_path, 1, 64) / "p0_still.png"
    assert np.array_equal(load_still(path), pattern(0, 64))


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\nbroken"])
def test_an_unreadable_still_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p_1.png"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"p_1\.png"):
        load_still(path)
    with pytest.raises(BadInput, match=r"p_2\.png"):
        load_still(tmp_path / "p_2.png")


def test_too_small_a_picture_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "p_1.png"), pattern(1, 48))
    with pytest.raises(BadInput, match="smaller"):
        load_still(tmp_path / "p_1.png")
    with pytest.raises(BadInput, match="smaller"):
        load_clip(write_clip(tmp_path / "p_2.mp4", 48))


def test_a_clip_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "p_1.mp4", 96, frames=6)
    assert len(load_clip(path)) == 6
    assert [f.shape for f in load_clip(path, 2)] == [(96, 96, 3)] * 2


def test_an_unreadable_clip_is_named(tmp_path: Path) -> None:
    path = tmp_path / "p_1.mp4"
    path.write_bytes(b"no clip")
    with pytest.raises(BadInput, match=r"p_1\.mp4"):
        load_clip(path)


def test_licences_come_from_the_list_beside_the_folder(tmp_path: Path) -> None:
    folder = write_stills(tmp_path / "train", 2, 64)
    files = list_faces(folder)
    assert attributions(folder, files) == []
    rows = ["file,licence", "train/p0_still.png,CC0", "train/p1_still.png,MIT", "train/p1_other.png,none of ours"]
    (tmp_path / "manifest.csv").write_text("\n".join(rows))
    assert attributions(folder, files) == ["CC0", "MIT"]
    (tmp_path / "manifest.csv").write_text("name,rights\na,b\n")
    assert attributions(folder, files) == []
