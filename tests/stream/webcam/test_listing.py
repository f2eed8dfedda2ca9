"""`--list`: for each thing that is missing, exactly what to do."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from stream.cli import main
from stream.webcam import listing
from stream.webcam.devices import examine
from stream.webcam.settings import WebcamSettings
from stream.webcam.users import users_of
from tests.stream.webcam.recorded import LAPTOP, LOOPBACK, METADATA

CHOSEN = WebcamSettings()


def test_a_camera_with_the_mode_to_be_used_first() -> None:
    found = [examine("/dev/video90", LAPTOP), examine("/dev/video91", METADATA), examine("/dev/video92", LOOPBACK)]
    (row,) = listing.cameras(found, [], CHOSEN)
    assert row.name == "camera /dev/video90" and row.hint is None
    assert row.value == (
        "Integrated Camera: 1280x720 MJPG 30 fps; MJPG 1280x720@30 640x480@30 1920x1080@30; YUYV 640x480@30 1280x720@10"
    )


def test_no_camera_and_one_that_this_user_may_not_open(tmp_path: Path) -> None:
    (row,) = listing.cameras([], [], CHOSEN)
    assert row.hint == "plug one in, or try --input FILE"
    (row,) = listing.cameras([], [str(tmp_path / "video0")], CHOSEN)
    assert row.hint == "sudo usermod -aG video $USER, then log in anew"
    (tmp_path / "video0").touch()
    (row,) = listing.cameras([], [str(tmp_path / "video0")], CHOSEN)
    assert row.hint is not None and "plug it in anew" in row.hint


def test_the_program_that_keeps_a_camera_busy_is_named(tmp_path: Path) -> None:
    device = tmp_path / "video0"
    device.touch()
    for number, name, target in (("17", "zoom\n", device), ("18", "cat\n", tmp_path / "other")):
        folder = tmp_path / "proc" / number
        (folder / "fd").mkdir(parents=True)
        (folder / "comm").write_text(name)
        (folder / "fd" / "5").symlink_to(target)
    (tmp_path / "proc" / "19").mkdir()
    assert users_of(str(device), tmp_path / "proc") == ["zoom (process 17)"]


def test_this_process_does_not_count(tmp_path: Path) -> None:
    device = tmp_path / "video0"
    with device.open("w"):
        assert not any(str(os.getpid()) in user for user in users_of(str(device)))


def test_the_loopback_module(tmp_path: Path) -> None:
    assert listing.loopback([examine("/dev/video9", LOOPBACK)], tmp_path).hint is None
    missing = listing.loopback([], tmp_path / "none")
    assert missing.hint is not None and "v4l2loopback-dkms" in missing.hint
    assert "loaded" in listing.loopback([], tmp_path).value


def test_pipewire_without_a_session(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert listing.pipewire().hint is not None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the table is Linux's")
def test_the_command_lists(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert main(["webcam", "--list"]) == 0
    shown = capsys.readouterr().out
    assert "output pipewire" in shown and "output v4l2" in shown and "camera" in shown
