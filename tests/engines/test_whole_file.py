"""Whole files: half of one was read by another program, or two programs wrote into one another's."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from engines.whole_file import PART, replace_file, replacing


def test_a_file_is_made_and_replaced_and_nothing_else_stays(tmp_path: Path) -> None:
    target = tmp_path / "not" / "there yet" / "file"
    for content in (b"one", b"another"):
        replace_file(target, content)
        assert target.read_bytes() == content and list(target.parent.iterdir()) == [target]


def test_until_the_end_the_old_one_is_there_and_after_a_failure_too(tmp_path: Path) -> None:
    target = tmp_path / "file"
    replace_file(target, b"old")
    with pytest.raises(KeyboardInterrupt), replacing(target) as file:
        file.write(b"new")
        assert target.read_bytes() == b"old"
        raise KeyboardInterrupt
    assert target.read_bytes() == b"old" and list(tmp_path.iterdir()) == [target]


def test_two_that_write_at_once_do_not_meet(tmp_path: Path) -> None:
    # Guards against a fixed name beside the file: the second took the first one's half away.
    target = tmp_path / "file"
    with replacing(target) as first:
        first.write(b"first")
        thread = threading.Thread(target=replace_file, args=(target, b"second"))
        thread.start()
        thread.join()
        assert target.read_bytes() == b"second"
    assert target.read_bytes() == b"first"


def test_where_it_cannot_be_written_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        replace_file(tmp_path / "folder", b"content")
    with pytest.raises(OSError):
        replace_file(tmp_path / ("x" * 300), b"content")
    assert not list(tmp_path.glob(f"{PART}*"))


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such rights")
def test_others_may_read_what_they_could_before(tmp_path: Path) -> None:
    # Guards against a checkpoint or a table that only its maker can open.
    (tmp_path / "plain").write_bytes(b"")
    replace_file(tmp_path / "file", b"")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1
