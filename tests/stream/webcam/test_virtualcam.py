"""pyvirtualcam: without it, or without OBS, one line says what to install; with it the picture goes over as it is."""

from __future__ import annotations

import sys
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from engines.errors import ClearcallError
from stream.webcam.errors import OutputLost
from stream.webcam.output import Picture, Shape
from stream.webcam.virtualcam import PyVirtualCamera

SHAPE = Shape(64, 48, Fraction(30000, 1001))


class Camera:
    """Takes what pyvirtualcam's own takes."""

    def __init__(self, width: int, height: int, fps: float, *, fmt: str, device: str | None) -> None:
        if device == "none":
            raise RuntimeError("'obs' backend: virtual camera output\ncould not be started")
        self.wanted = width, height, fps, fmt
        self.device = device or "OBS Virtual Camera"
        self.frames: list[Picture] = []
        self.closed = 0

    def send(self, frame: Picture) -> None:
        if self.closed:
            raise RuntimeError("gone")
        self.frames.append(frame.copy())

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> list[Camera]:
    """A stand-in for pyvirtualcam; the cameras that it gave."""
    given: list[Camera] = []

    def make(*arguments: object, **named: object) -> Camera:
        given.append(Camera(*arguments, **named))  # type: ignore[arg-type]
        return given[-1]

    stand_in = SimpleNamespace(Camera=make, PixelFormat=SimpleNamespace(I420="I420"))
    monkeypatch.setitem(sys.modules, "pyvirtualcam", stand_in)
    return given


def test_the_picture_goes_over_as_it_is(package: list[Camera]) -> None:
    output = PyVirtualCamera(SHAPE)
    picture = np.arange(SHAPE.size, dtype=np.uint32).astype(np.uint8).reshape(72, 64)
    assert output.name == "pyvirtualcam OBS Virtual Camera" and output.has_reader() and output.send(picture)
    (camera,) = package
    assert camera.wanted == (64, 48, 30000 / 1001, "I420")
    assert np.array_equal(camera.frames[0], picture)
    output.close()
    output.close()
    assert camera.closed == 1 and not output.has_reader() and not output.send(picture)


def test_a_camera_that_goes_away_is_lost(package: list[Camera]) -> None:
    output = PyVirtualCamera(SHAPE, "Unity Video Capture")
    package[0].closed = 1
    with pytest.raises(OutputLost, match="Unity Video Capture is gone"):
        output.send(np.zeros((72, 64), np.uint8))


@pytest.mark.parametrize(
    ("platform", "says"), [("win32", "install OBS"), ("darwin", "press Start"), ("linux", "modprobe")]
)
def test_without_a_camera_it_says_what_to_install(
    package: list[Camera], monkeypatch: pytest.MonkeyPatch, platform: str, says: str
) -> None:
    monkeypatch.setattr("stream.webcam.virtualcam.sys", SimpleNamespace(platform=platform))
    with pytest.raises(ClearcallError, match=f"could not be started.*{says}") as error:
        PyVirtualCamera(SHAPE, "none")
    assert "\n" not in str(error.value)


def test_without_the_package_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(ClearcallError, match=r"-m pip install -e .*\[pyvirtualcam\]"):
        PyVirtualCamera(SHAPE)
