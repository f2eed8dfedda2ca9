"""The list of plans tells the truth, and nothing is deleted that somebody needs."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from engines.errors import EngineError
from engines.plan_cache import KERNELS, key_of, store
from engines.plan_list import CURRENT, LEFT_S, OUT_OF_DATE, UNUSED, entries, listing, prune, state_of
from engines.whole_file import PART
from tests.export.tiny_family import halves

KEY = key_of(halves()[0], "tensorrt-rtx", "1.7.1", "sm89", 8)
PLAN = bytes(range(256)) * 40
HERE = state_of({"tensorrt-rtx": "1.7.1"}, halves())


def test_pruning_leaves_what_is_current(tmp_path: Path) -> None:
    old = replace(KEY, version="1.6")
    for key in (KEY, old):
        (tmp_path / key.file_name).with_suffix(KERNELS).write_bytes(b"kernels")
        store(tmp_path, key, PLAN)
    (tmp_path / "broken.plan").write_bytes(b"{}")
    gone, stuck = prune(tmp_path, HERE)
    kernels = Path(old.file_name).with_suffix(KERNELS).name
    assert {path.name for path in gone} == {old.file_name, "broken.plan", kernels} and not stuck
    assert {p.name for p in tmp_path.iterdir()} == {KEY.file_name, Path(KEY.file_name).with_suffix(KERNELS).name}


def test_a_plan_of_a_library_that_does_not_load_today_is_left(tmp_path: Path) -> None:
    """It took minutes, and the library may be in another environment, or back tomorrow."""
    gpu = replace(KEY, library="tensorrt", gpu="NVIDIA H100")
    store(tmp_path, gpu, PLAN)
    assert [HERE(key) for key in (KEY, replace(KEY, version="1"), gpu)] == [CURRENT, OUT_OF_DATE, UNUSED]
    assert HERE(replace(gpu, graph="of yesterday")) == OUT_OF_DATE
    assert prune(tmp_path, HERE) == ([], [])
    assert "unused, NVIDIA H100" in listing(tmp_path, entries(tmp_path), HERE)


def test_what_another_process_is_writing_is_left(tmp_path: Path) -> None:
    """Deleted from under a build that runs, minutes of work could not be kept."""
    live, dead = tmp_path / f"{PART}live", tmp_path / f"{PART}dead"
    for path in (live, dead):
        path.write_bytes(PLAN)
    os.utime(dead, (0, time.time() - LEFT_S - 60))
    assert prune(tmp_path, HERE) == ([dead], []) and live.exists()


def test_a_changed_byte_is_seen(tmp_path: Path) -> None:
    path = store(tmp_path, KEY, PLAN)
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    assert "damaged" in listing(tmp_path, entries(tmp_path), HERE)


def test_what_cannot_be_read_or_deleted_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder under a plan's name was invisible, and then the build failed because of it."""
    (tmp_path / KEY.file_name).mkdir()
    closed = store(tmp_path, replace(KEY, version="1.6"), PLAN)
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path == closed:
            raise PermissionError(errno.EACCES, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    shown = listing(tmp_path, entries(tmp_path), HERE)
    assert "cannot be read: Permission denied" in shown and "cannot be read: Is a directory" in shown
    gone, stuck = prune(tmp_path, HERE)
    assert gone == [closed] and len(stuck) == 1 and f"{KEY.file_name} cannot be deleted: " in stuck[0]


def test_a_folder_that_is_none_is_said_and_one_that_is_not_there_is_empty(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match="file cannot be read: Not a directory"):
        entries(tmp_path / "file")
    assert entries(tmp_path / "nowhere") == [] and prune(tmp_path / "nowhere", HERE) == ([], [])
    assert listing(tmp_path, [], HERE) == f"no plans in {tmp_path}"
