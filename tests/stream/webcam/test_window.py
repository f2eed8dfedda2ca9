"""The preview window on a display of its own: what stands on the screen is the picture, and closing it ends it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import av
import numpy as np
import pytest

from engines.errors import ClearcallError
from stream.webcam.output import Picture, Shape
from stream.webcam.window import WindowPreview

SCREEN = 400, 300
PROGRAM = """
import sys
import numpy as np
from fractions import Fraction
from stream.webcam.errors import OutputClosed
from stream.webcam.output import Shape
from stream.webcam.window import WindowPreview
width, height = int(sys.argv[1]), int(sys.argv[2])
picture = np.full((height * 3 // 2, width), 128, np.uint8)
chroma = picture[height:].reshape(2, height // 2, width // 2)
# The upper half BT.601's red, the lower half grey.
picture[: height // 2], chroma[0, : height // 4], chroma[1, : height // 4] = 82, 90, 240
preview = WindowPreview(Shape(width, height, Fraction(30)))
root = preview._root
print(preview.has_reader(), preview.send(picture), flush=True)
for line in sys.stdin:
    if line == "close\\n":
        preview.close()
        preview.close()
        print(preview.has_reader(), preview.send(picture), flush=True)
    else:
        root.focus_force()
        root.update()
        root.event_generate(line.strip())
        try:
            print(preview.send(picture), flush=True)
        except OutputClosed:
            print("ended", flush=True)
"""
"""In a process of its own: Tk ends the one whose display has gone."""


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """An X server without a screen; its name."""
    pytest.importorskip("tkinter")
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb: apt install xvfb")
    command = ["Xvfb", "-displayfd", "1", "-nolisten", "tcp", "-screen", "0", f"{SCREEN[0]}x{SCREEN[1]}x24"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        yield f":{server.stdout.readline().strip()}"
        server.terminate()


class Preview:
    """`PROGRAM`, and what it answers."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def ask(self, text: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\n")
        self._process.stdin.flush()
        return self.answer()


@contextmanager
def preview(display: str, width: int, height: int) -> Iterator[Preview]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(width), str(height)],
        env={**os.environ, "DISPLAY": display},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Preview(process)


def screen(display: str) -> Picture:
    """What stands on the screen: RGB [height, width, 3]."""
    if "x11grab" not in av.formats_available:
        pytest.skip("this PyAV cannot look at the screen")
    with av.open(display, format="x11grab", options={"video_size": f"{SCREEN[0]}x{SCREEN[1]}", "draw_mouse": "0"}) as x:
        return np.asarray(next(x.decode(video=0)).to_ndarray(format="rgb24"), np.uint8)


@pytest.mark.parametrize("size", [(320, 240), (1280, 720)])
def test_the_picture_stands_on_the_screen_and_fits(display: str, size: tuple[int, int]) -> None:
    with preview(display, *size) as shown:
        assert shown.answer() == "True True"
        seen = screen(display).astype(int)
        assert shown.ask("close") == "False False"
        assert not screen(display).any()
    red = (abs(seen - (255, 0, 0)) < 12).all(2)
    grey = (abs(seen - 130) < 4).all(2)
    rows, columns = np.nonzero(red | grey)
    height, width = rows.max() - rows.min() + 1, columns.max() - columns.min() + 1
    assert width <= SCREEN[0] and height <= SCREEN[1]
    assert width / height == pytest.approx(size[0] / size[1], rel=0.02)
    assert width == min(size[0], 360) and red.sum() == pytest.approx(grey.sum(), rel=0.05)


@pytest.mark.parametrize("key", ["<Escape>", "<q>"])
def test_a_key_closes_it(display: str, key: str) -> None:
    with preview(display, 320, 240) as shown:
        assert shown.answer() == "True True"
        assert shown.ask("<x>") == "True"
        assert shown.ask(key) == "ended"


def test_without_a_display_that_is_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tkinter")
    monkeypatch.setenv("DISPLAY", ":nowhere")
    with pytest.raises(ClearcallError, match="no display can be opened") as error:
        WindowPreview(Shape(320, 240, Fraction(30)))
    assert "\n" not in str(error.value)


def test_without_tk_it_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tkinter", None)
    with pytest.raises(ClearcallError, match="sudo apt install python3-tk"):
        WindowPreview(Shape(320, 240, Fraction(30)))
