"""The whole command with the preview in a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.errors import ClearcallError
from engines.manifest import read_family
from stream.webcam.terminal import BEGIN, END
from tests.stream.webcam.test_terminal import shown

ROWS, COLUMNS = 24, 80
AT_STATUS = f"\x1b[{ROWS};1H"


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """The webcam with a bright picture as its camera."""
    try:
        read_family("lite")
    except ClearcallError:
        pytest.skip("needs the model lite")
    cv2.imwrite(str(tmp_path / "bright.png"), np.full((300, 200, 3), 255, np.uint8))
    return [sys.executable, "-m", "stream.cli", "webcam", "--input", str(tmp_path / "bright.png"), "--strength", "0"]


def environment(folder: Path, **named: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "COLUMNS", "LINES"}}
    return {**kept, "XDG_RUNTIME_DIR": str(folder), "TERM": "xterm-256color", "PYTHONUTF8": "1", **named}


def read_until(master: int, condition: Callable[[str], bool], before: str = "", seconds: float = 60.0) -> str:
    """What the terminal was sent, until that holds."""
    data, end = before.encode(), time.monotonic() + seconds
    while not condition(data.decode(errors="ignore")):
        assert time.monotonic() < end, data[-2000:]
        try:
            data += os.read(master, 65536)
        except OSError:  # the other end was closed
            return data.decode(errors="ignore")
    return data.decode(errors="ignore")


def test_pictures_in_the_terminal_the_status_below_and_all_as_before_in_the_end(
    command: list[str], tmp_path: Path
) -> None:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", ROWS, COLUMNS, 0, 0))
    where = {"stdin": slave, "stdout": slave, "stderr": slave}
    process = subprocess.Popen([*command, "--output", "window"], env=environment(tmp_path), **where)  # type: ignore[call-overload]
    os.close(slave)
    try:
        text = read_until(master, lambda text: text.count(AT_STATUS) > 40 and " at 1" not in text and "fps" in text)
        process.send_signal(signal.SIGTERM)
        text = read_until(master, lambda text: text.endswith(END), text)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        os.close(master)
    assert BEGIN in text and text.index(BEGIN) < text.index(END)
    pictures = [shown(part[part.rindex("\x1b[1;1H") :]) for part in text.split(AT_STATUS)[:-1] if "\x1b[1;1H" in part]
    last, earlier = pictures[-1], pictures[-20]
    assert ROWS - 3 < max(row for row, _ in last) < ROWS and last.keys() == earlier.keys()
    bright = [{place for place, (upper, _) in cells.items() if min(upper) > 240} for cells in (earlier, last)]
    assert bright[0] and bright[1] and bright[0] != bright[1], "the picture is there, and it moves"
    statuses = [part.split("\x1b")[0] for part in text.split(AT_STATUS)]
    assert any("strength 0: the camera as it is" in line and "fps" in line for line in statuses)


def test_where_neither_works_both_are_named(command: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [*command, "--output", "window"], env=environment(tmp_path), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("clearcall: no preview can be shown; window: ")
    assert "terminal: standard output is no terminal" in done.stderr
