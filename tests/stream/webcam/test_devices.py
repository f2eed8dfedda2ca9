"""Devices and their modes: a driver that lists without end, or a device that is none, must not hold anything up."""

from __future__ import annotations

import errno
from fractions import Fraction
from pathlib import Path

import pytest

from stream.webcam import v4l2
from stream.webcam.devices import MOST_MODES, examine, find, paths, stepped_sizes
from stream.webcam.modes import Mode, choose
from tests.stream.webcam.recorded import LAPTOP, LOOPBACK, METADATA, STEPPED, Recorded


def test_a_laptops_camera() -> None:
    device = examine("/dev/video0", LAPTOP)
    assert (device.name, device.driver, device.can_capture, device.is_loopback) == (
        "Integrated Camera",
        "uvcvideo",
        True,
        False,
    )
    assert Mode("YUYV", 640, 480, Fraction(15)) in device.modes
    assert len(device.modes) == 6, "H.264 is none of ours"
    assert choose(device.modes, 1280, 720, Fraction(30)) == Mode("MJPG", 1280, 720, Fraction(30))


def test_the_camera_of_metadata_is_no_camera() -> None:
    device = examine("/dev/video1", METADATA)
    assert not device.can_capture and device.modes == ()
    assert METADATA.asked == [v4l2.QUERYCAP]


def test_bounds_instead_of_lists() -> None:
    modes = examine("/dev/video0", STEPPED).modes
    assert Mode("YU12", 1280, 720, Fraction(30)) in modes
    assert Mode("YU12", 1920, 1080, Fraction(60)) in modes
    assert stepped_sizes((16, 1000, 16, 16, 600, 16)) == [(1000 // 16 * 16, 592), (640, 480)]


def test_a_loopback_device_is_known_by_its_driver() -> None:
    device = examine("/dev/video9", LOOPBACK)
    assert device.is_loopback and device.can_output and not device.can_capture


def test_a_list_without_end_ends() -> None:
    class Endless(Recorded):
        @staticmethod
        def _pick(entries: list[object], index: int) -> object:  # type: ignore[override]
            return entries[0]

    device = examine("/dev/video0", Endless(formats={"MJPG": {(1280, 720): [(1, 30)]}}))
    assert len(device.modes) == MOST_MODES


def test_intervals_of_zero_are_left_out() -> None:
    broken = Recorded(formats={"MJPG": {(1280, 720): [(0, 30), (1, 0), (1, 30)]}})
    assert examine("/dev/video0", broken).modes == (Mode("MJPG", 1280, 720, Fraction(30)),)


def test_a_driver_that_fails_on_the_way_is_told() -> None:
    def failing(request: int, data: bytes) -> bytes:
        if request == v4l2.ENUM_FRAMESIZES:
            raise OSError(errno.ENODEV, "unplugged")
        return LAPTOP(request, data)

    with pytest.raises(OSError):
        examine("/dev/video0", failing)


def test_paths_in_the_order_of_their_numbers_and_files_that_are_no_devices(tmp_path: Path) -> None:
    for name in ("video10", "video2", "video", "videox", "null"):
        (tmp_path / name).write_text("no device")
    assert [Path(path).name for path in paths(tmp_path)] == ["video2", "video10"]
    assert find(tmp_path) == []
