"""The command where there are no Unix sockets, user numbers and signals, as on Windows: it failed with a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.errors import ClearcallError
from engines.manifest import read_family

PROGRAM = """
import os, signal, socket, sys
from types import SimpleNamespace
sys.modules["fcntl"] = None
for module, name in ((os, "getuid"), (socket, "AF_UNIX"), (signal, "SIGUSR1")):
    if hasattr(module, name):
        delattr(module, name)

class Camera:
    device = "OBS Virtual Camera"
    count = 0

    def __init__(self, *size, **named):
        print(*size, named["fmt"], flush=True)

    def send(self, picture):
        Camera.count += 1
        if Camera.count > 30 and picture.max() > 230:
            print("bright", flush=True)
            signal.raise_signal(signal.SIGTERM)

    def close(self):
        print("closed", flush=True)

sys.modules["pyvirtualcam"] = SimpleNamespace(Camera=Camera, PixelFormat=SimpleNamespace(I420="I420"))
from stream.cli import main
from stream.webcam import outputs
outputs.sys = SimpleNamespace(platform="win32")
sys.exit(main(sys.argv[1:]))
"""


def run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "webcam", *options], capture_output=True, text=True, timeout=120
    )


def test_it_serves_pyvirtualcams_camera_and_ends_well(tmp_path: Path) -> None:
    try:
        read_family("lite")
    except ClearcallError:
        pytest.skip("needs the model lite")
    cv2.imwrite(str(tmp_path / "bright.png"), np.full((90, 160, 3), 255, np.uint8))
    done = run("--input", str(tmp_path / "bright.png"), "--strength", "0")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "1280 720 30.0 I420" and "pyvirtualcam OBS Virtual Camera" in lines[1]
    assert lines[2:].count("bright") == 1 and lines[-1] == "closed"


@pytest.mark.parametrize("option", ["--toggle", "--show"])
def test_what_cannot_be_done_there_is_told(option: str) -> None:
    done = run(option)
    assert done.returncode == 2
    assert done.stderr.startswith("clearcall: a webcam that runs cannot be asked") and done.stderr.count("\n") == 1
