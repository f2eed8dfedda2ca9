"""Choosing a mode: a wrong one means a slide show, or a face of a few pixels."""

from __future__ import annotations

from fractions import Fraction

import pytest

from stream.webcam.modes import Mode, choose


def mode(text: str) -> Mode:
    """`MJPG 1280x720 30`."""
    letters, size, fps = text.split()
    width, height = size.split("x")
    return Mode(letters, int(width), int(height), Fraction(fps))


LAPTOP = ["MJPG 1920x1080 30", "MJPG 1280x720 30", "MJPG 640x480 30", "YUYV 640x480 30", "YUYV 1280x720 10"]


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (LAPTOP, "MJPG 1280x720 30"),
        (LAPTOP[3:], "YUYV 640x480 30"),
        (["MJPG 1280x720 30", "YUYV 1280x720 30", "NV12 1280x720 30"], "NV12 1280x720 30"),
        (["MJPG 1280x720 60", "MJPG 1280x720 30"], "MJPG 1280x720 30"),
        (["MJPG 1280x720 60", "MJPG 640x480 30"], "MJPG 1280x720 60"),
        (["MJPG 1920x1080 30", "MJPG 640x480 30"], "MJPG 1920x1080 30"),
        (["MJPG 960x960 30", "MJPG 1280x720 30000/1001"], "MJPG 1280x720 30000/1001"),
        (["YUYV 1280x720 25", "YUYV 320x240 30"], "YUYV 1280x720 25"),
        (["YUYV 160x120 5"], "YUYV 160x120 5"),
    ],
)
def test_the_nearest_to_720p30(offered: list[str], chosen: str) -> None:
    assert choose(map(mode, offered), 1280, 720, Fraction(30)) == mode(chosen)
    assert choose(map(mode, reversed(offered)), 1280, 720, Fraction(30)) == mode(chosen)


def test_another_wish_is_another_choice() -> None:
    assert choose(map(mode, LAPTOP), 1920, 1080, Fraction(30)) == mode("MJPG 1920x1080 30")


def test_unknown_formats_are_no_choice() -> None:
    assert choose([mode("H264 1280x720 30"), mode("Z16 640x480 30")], 1280, 720, Fraction(30)) is None
    assert choose([], 1280, 720, Fraction(30)) is None
