"""`--list`: for each thing that is missing, exactly what to do."""

from __future__ import annotations

import os
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from stream.cli import main
from stream.webcam import listing
from stream.webcam.devices import Device, examine
from stream.webcam.modes import Mode
from stream.webcam.settings import WebcamSettings
from stream.webcam.users import runs, users_of
from tests.stream.webcam.fakes import Terminal
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


def test_a_module_that_chromium_would_not_list_is_told(tmp_path: Path) -> None:
    (tmp_path / "parameters").mkdir()
    found = [examine("/dev/video9", LOOPBACK)]
    (tmp_path / "parameters" / "exclusive_caps").write_text("N,N,N\n")
    told = listing.loopback(found, tmp_path).hint
    assert told is not None and "Chromium will not list it" in told and "exclusive_caps=1" in told
    (tmp_path / "parameters" / "exclusive_caps").write_text("Y,N,N\n")
    assert listing.loopback(found, tmp_path).hint is None


def test_a_session_without_its_manager_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Node:
        def __init__(self, shape: object) -> None:
            pass

        def close(self) -> None:
            pass

    monkeypatch.setattr(listing, "PipeWireCamera", Node)
    monkeypatch.setattr(listing, "runs", lambda program: False)
    told = listing.pipewire().hint
    assert told is not None and "wireplumber" in told
    monkeypatch.setattr(listing, "runs", lambda program: program == "wireplumber")
    assert listing.pipewire().hint is None


def test_which_programs_run(tmp_path: Path) -> None:
    (tmp_path / "17").mkdir()
    (tmp_path / "17" / "comm").write_text("pipewire-media-\n")
    assert runs("pipewire-media-session", tmp_path) and not runs("wireplumber", tmp_path)


def test_windows_and_macos_have_their_own_table(monkeypatch: pytest.MonkeyPatch) -> None:
    mode = Mode("NV12", 1280, 720, Fraction(30))
    camera = Device("avfoundation:FaceTime", "FaceTime", "avfoundation", True, False, (mode,))
    found = {"avfoundation": [camera], "dshow": []}
    monkeypatch.setattr("stream.webcam.ffmpeg_cameras.find", lambda kind: found[kind])
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    table = listing.listing(CHOSEN, "darwin")
    assert "camera avfoundation:FaceTime  FaceTime: 1280x720 NV12 30 fps" in table
    assert "pip install -e" in table and "[pyvirtualcam]" in table and "pipewire" not in table
    assert "plug one in" in listing.listing(CHOSEN, "win32")


def test_where_a_preview_would_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert listing.preview().hint is None and "terminal: ready" in listing.preview().value
    monkeypatch.setenv("TERM", "dumb")
    assert listing.preview().hint is not None


def test_pipewire_without_a_session(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert listing.pipewire().hint is not None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the table is Linux's")
def test_the_command_lists(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert main(["webcam", "--list"]) == 0
    shown = capsys.readouterr().out
    assert "output pipewire" in shown and "output v4l2" in shown and "camera" in shown
