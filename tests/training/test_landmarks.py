"""Landmarks of stills are found once and kept, as long as the still is the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engines.errors import BadInput
from tests.training.faces import write_stills
from training import landmarks
from training.faces import Picture, list_faces
from training.landmarks import find_landmarks


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[Picture]:
    """The pictures that were looked at; the second one shows no face."""
    pictures: list[Picture] = []

    def find(picture: Picture) -> np.ndarray | None:
        pictures.append(picture)
        return None if len(pictures) == 2 else np.full((468, 2), float(len(pictures)), np.float32)

    monkeypatch.setattr(landmarks, "model_paths", lambda: None)
    monkeypatch.setattr(landmarks, "StillLandmarks", lambda models: find)
    return pictures


def test_a_second_run_does_not_look_again(tmp_path: Path, looked: list[Picture]) -> None:
    files = list_faces(write_stills(tmp_path / "faces", 3, 65))
    first = find_landmarks(files, tmp_path / "cache.npz")
    assert sorted(first) == ["p0_still.png", "p2_still.png"]
    assert [p.shape for p in looked] == [(64, 64, 3)] * 3
    second = find_landmarks(files, tmp_path / "cache.npz")
    assert len(looked) == 3
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_another_still_of_the_same_name_is_looked_at(tmp_path: Path, looked: list[Picture]) -> None:
    find_landmarks(list_faces(write_stills(tmp_path / "faces", 2, 64)), tmp_path / "cache.npz")
    find_landmarks(list_faces(write_stills(tmp_path / "faces", 2, 96)), tmp_path / "cache.npz")
    assert [len(p) for p in looked] == [64, 64, 96, 96]


@pytest.mark.parametrize("content", [b"", b"damaged", b"PK\x03\x04damaged"])
def test_a_damaged_cache_is_made_anew(tmp_path: Path, looked: list[Picture], content: bytes) -> None:
    cache = tmp_path / "cache.npz"
    cache.write_bytes(content)
    assert len(find_landmarks(list_faces(write_stills(tmp_path / "faces", 1, 64)), cache)) == 1
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["cache.npz"]
    find_landmarks(list_faces(tmp_path / "faces"), cache)
    assert len(looked) == 1


def test_an_unreadable_still_is_named(tmp_path: Path, looked: list[Picture]) -> None:
    (tmp_path / "p1_still.jpg").write_bytes(b"no picture")
    with pytest.raises(BadInput, match=r"p1_still\.jpg"):
        find_landmarks(list_faces(tmp_path), tmp_path / "cache.npz")
