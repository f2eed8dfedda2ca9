"""What `--input` means: a missing camera is one clear line, and one under a new number is found again."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from engines.errors import BadInput
from stream.webcam import source
from stream.webcam.devices import Device, examine
from stream.webcam.locate import follow, locate
from stream.webcam.modes import Mode
from stream.webcam.source import Origin
from tests.stream.webcam.recorded import LAPTOP, LOOPBACK, METADATA, Recorded

EVERYWHERE = frozenset({"v4l2", "avfoundation", "dshow"})
WISH = Mode("", 1280, 720, Fraction(30))


def device(recorded: Recorded, path: str = "/dev/null") -> Device:
    return examine(path, recorded)


def test_the_first_camera_in_its_best_mode() -> None:
    found = [device(METADATA), device(LOOPBACK), device(LAPTOP, "/dev/video2")]
    origin = locate("auto", WISH, find=lambda _: found, platform="linux")
    assert str(origin) == "/dev/video2, 1280x720 MJPG 30 fps"
    assert origin.options == {"video_size": "1280x720", "framerate": "30", "input_format": "mjpeg"}
    assert source.probe(origin) == (1280, 720, Fraction(30))


@pytest.mark.parametrize(
    ("text", "found", "says"),
    [
        ("auto", [], "plug one in"),
        ("auto", [device(LOOPBACK)], "plug one in"),
        ("/dev/video98", [], "no such camera"),
        ("/dev/null", [], "no such file or camera"),
        ("nowhere.mp4", [], "no such file or camera"),
    ],
)
def test_a_missing_camera_is_named(text: str, found: list[Device], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        locate(text, WISH, find=lambda _: found, platform="linux")


def no_modes(kind: str, name: str) -> tuple[Mode, ...]:
    return ()


def test_a_named_camera_of_another_system_is_asked_for_the_nearest_of_its_modes() -> None:
    modes = Mode("NV12", 1920, 1080, Fraction(30)), Mode("NV12", 640, 480, Fraction(30))
    mac = locate("avfoundation:FaceTime HD", WISH, ask=lambda kind, name: modes, formats=EVERYWHERE)
    assert (mac.kind, mac.name, mac.mode) == ("avfoundation", "FaceTime HD:none", modes[0])
    assert mac.options == {"video_size": "1920x1080", "framerate": "30", "pixel_format": "nv12"}
    assert source.probe(mac) == (1920, 1080, Fraction(30))


def test_where_no_modes_are_told_the_wish_is_asked_for() -> None:
    windows = locate("dshow:Integrated Camera", WISH, ask=no_modes, formats=EVERYWHERE)
    assert (windows.kind, windows.name, windows.mode) == ("dshow", "video=Integrated Camera", None)
    assert (windows.options["video_size"], windows.options["framerate"]) == ("1280x720", "30")
    assert "pixel_format" not in windows.options
    assert source.probe(windows) is None


def test_the_first_camera_of_another_system() -> None:
    asked: list[str] = []

    def find(kind: str) -> list[Device]:
        asked.append(kind)
        modes = (Mode("MJPG", 1280, 720, Fraction(30)),)
        return [Device("dshow:USB: Camera", "USB: Camera", "dshow", True, False, modes)]

    origin = locate("auto", WISH, find=find, platform="win32")
    assert asked == ["dshow"] and origin.name == "video=USB: Camera"
    with pytest.raises(BadInput, match="privacy settings"):
        locate("auto", WISH, find=lambda _: [], platform="darwin")


def test_a_camera_of_another_system_is_none_here() -> None:
    with pytest.raises(BadInput, match="for macOS"):
        locate("avfoundation:FaceTime HD", WISH, formats=frozenset({"v4l2"}))


def test_a_picture_is_told_from_a_film_by_its_name(tmp_path: Path) -> None:
    for name, kind in (("face.JPG", "still"), ("face.png", "still"), ("film.mp4", "file")):
        (tmp_path / name).touch()
        assert locate(str(tmp_path / name), WISH).kind == kind


def test_plugged_in_again_under_another_number_it_is_found() -> None:
    gone = locate("auto", WISH, find=lambda _: [device(LAPTOP, "/dev/video98")], platform="linux")
    others = [device(METADATA, "/dev/video90"), device(LAPTOP, "/dev/video91")]
    assert follow(gone, lambda _: others).name == "/dev/video91"
    assert follow(gone, lambda _: others[:1]) is gone
    assert follow(Origin("file", "nowhere.mp4"), lambda _: others).name == "nowhere.mp4"
