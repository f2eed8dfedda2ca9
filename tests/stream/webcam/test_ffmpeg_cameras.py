"""Cameras of macOS and Windows, on what FFmpeg prints there: a rate or size that it refuses must not be chosen."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest
from av.device import DeviceInfo

from stream.webcam import ffmpeg_cameras
from stream.webcam.modes import Mode, choose

MAC = """Selected framerate (1.000000) is not supported by the device.
 Supported modes:
   1920x1080@[15.000000 30.000030]fps
   1280x720@[1.000000 30.000030]fps
   640x480@[1.000000 30.000030]fps
   1280x720@[60.000240 60.000240]fps
"""
WINDOWS = """DirectShow video device options (from video devices)
  Pin "Capture" (alternative pin name "0")
   pixel_format=yuyv422   min s=640x480 fps=5 max s=640x480 fps=30
   pixel_format=yuyv422   min s=640x480 fps=5 max s=640x480 fps=30 (tv, bt470bg/bt709/unknown, topleft)
   pixel_format=yuyv422   min s=1280x720 fps=10 max s=1280x720 fps=10
   vcodec=mjpeg   min s=1280x720 fps=5 max s=1280x720 fps=30.0003
   vcodec=h264   min s=1920x1080 fps=5 max s=1920x1080 fps=30
   unknown compression type 0x3231564D   min s=1280x720 fps=5 max s=1280x720 fps=30
"""
WISH = 1280, 720, Fraction(30)


def test_modes_of_a_mac() -> None:
    modes = ffmpeg_cameras.modes("avfoundation", MAC)
    assert {mode.rate for mode in modes} == {Fraction(30), Fraction(60)}, "only the highest of a range is taken there"
    assert choose(modes, *WISH) == Mode("NV12", 1280, 720, Fraction(30))


def test_modes_of_windows() -> None:
    modes = ffmpeg_cameras.modes("dshow", WINDOWS)
    assert {mode.pixel_format for mode in modes} == {"YUYV", "MJPG"}, "what clearcall cannot read is left out"
    assert Mode("YUYV", 640, 480, Fraction(15)) in modes
    assert Mode("YUYV", 1280, 720, Fraction(10)) in modes and Mode("YUYV", 1280, 720, Fraction(30)) not in modes
    assert choose(modes, *WISH) == Mode("MJPG", 1280, 720, Fraction(30))


@pytest.mark.parametrize("text", ["", "Supported modes:", "0x0@[0.000000 0.000000]fps", "1x1@[1.2.3 4.5.6]fps"])
def test_what_says_nothing_gives_no_modes(text: str) -> None:
    assert ffmpeg_cameras.modes("avfoundation", text) == ()


def test_options_are_those_that_ffmpeg_has_for_the_system() -> None:
    mode = Mode("MJPG", 1280, 720, Fraction(30000, 1001))
    assert ffmpeg_cameras.options("dshow", mode) == {
        "video_size": "1280x720",
        "framerate": "30000/1001",
        "rtbufsize": "64M",
    }
    assert ffmpeg_cameras.options("dshow", Mode("YUYV", 640, 480, Fraction(30)))["pixel_format"] == "yuyv422"
    assert ffmpeg_cameras.options("avfoundation", mode)["pixel_format"] == "nv12"


def test_microphones_screens_and_virtual_cameras_are_no_cameras() -> None:
    listed = [
        DeviceInfo("0", "FaceTime HD Camera", False, ["video"]),
        DeviceInfo("1", "OBS Virtual Camera", False, ["video"]),
        DeviceInfo("2", "Capture screen 0", False, ["video"]),
        DeviceInfo("3", "FaceTime HD Camera", False, ["video"]),
        DeviceInfo("0", "Microphone", False, ["audio"]),
    ]
    asked: list[tuple[str, str]] = []

    def log_of(kind: str, name: str) -> str:
        asked.append((kind, name))
        return MAC

    found = ffmpeg_cameras.find("avfoundation", lambda _: listed, log_of)
    assert [device.path for device in found] == ["avfoundation:FaceTime HD Camera", "avfoundation:3"]
    assert asked == [("avfoundation", "FaceTime HD Camera"), ("avfoundation", "3")]
    assert all(device.can_capture and len(device.modes) == 4 for device in found)


def test_without_that_system_there_are_none() -> None:
    for kind in {"avfoundation", "dshow"} - set(av.formats_available):
        assert ffmpeg_cameras.find(kind) == []
        assert ffmpeg_cameras.log(kind, "camera") == ""


def test_ffmpegs_log_is_read_and_its_level_put_back() -> None:
    before = av.logging.get_level()
    assert "no such filter" in ffmpeg_cameras.log("lavfi", "clearcall").lower()
    assert av.logging.get_level() == before
