"""The webcam's options."""

from __future__ import annotations

import argparse
from fractions import Fraction

import pytest

from engines.errors import BadInput
from stream.webcam import command, settings
from stream.webcam.output import Shape


def parse(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(options)


def test_unless_told_otherwise_it_takes_the_first_of_all() -> None:
    assert settings.read(parse()) == settings.WebcamSettings()


def test_a_loopback_device_may_be_named() -> None:
    chosen = settings.read(parse("--output", "v4l2:/dev/video9", "--size", "640x480", "--fps", "15", "--mirror"))
    assert (chosen.output, chosen.device) == ("v4l2", "/dev/video9")
    assert (chosen.width, chosen.height, chosen.rate, chosen.mirror) == (640, 480, Fraction(15), True)


@pytest.mark.parametrize("output", ["auto", "pipewire", "v4l2", "pyvirtualcam", "window", "terminal"])
def test_outputs(output: str) -> None:
    assert settings.read(parse("--output", output)).output == output


def test_a_camera_of_pyvirtualcam_may_be_named() -> None:
    chosen = settings.read(parse("--output", "pyvirtualcam:OBS Virtual Camera"))
    assert (chosen.output, chosen.device) == ("pyvirtualcam", "OBS Virtual Camera")


@pytest.mark.parametrize(
    "options",
    [
        ["--output", "screen"],
        ["--output", "window:1"],
        ["--output", "pipewire:/dev/video1"],
        ["--output", "v4l2:relative"],
        ["--size", "720p"],
        ["--size", "0x0"],
        ["--size", "16x16"],
        ["--size", "9999x9999"],
        ["--latency-budget", "soon"],
        ["--precision", "int4"],
        ["--fps", "0"],
        ["--fps", "nan"],
        ["--fps", "many"],
        ["--strength", "2"],
        ["--strength", "nan"],
    ],
)
def test_a_wrong_option_is_named_in_one_line(options: list[str]) -> None:
    with pytest.raises(BadInput) as error:
        settings.read(parse(*options))
    assert options[0] in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("source", "shape"),
    [
        ((1280, 720, Fraction(30)), Shape(1280, 720, Fraction(30))),
        ((1366, 769, Fraction(25)), Shape(1360, 768, Fraction(25))),
        ((7680, 4320, Fraction(1000)), Shape(3840, 2160, Fraction(120))),
        ((2, 2, Fraction(1, 10)), Shape(64, 64, Fraction(1))),
    ],
)
def test_the_virtual_camera_is_as_large_as_the_real_one_in_whole_blocks(
    source: tuple[int, int, Fraction], shape: Shape
) -> None:
    assert settings.shape_of(*source) == shape
