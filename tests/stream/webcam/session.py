"""A private desktop: D-Bus, PipeWire and WirePlumber of our own, and a GStreamer program that takes the camera."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

REQUIRED = "CLEARCALL_REQUIRE_PIPEWIRE"
"""Where this is set, missing programs are a failure."""
PROGRAMS = ("dbus-daemon", "pipewire", "wireplumber", "pw-dump", "gst-launch-1.0", "gst-inspect-1.0")
PACKAGES = "dbus pipewire wireplumber gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-pipewire"
Picture = NDArray[np.uint8]


def check_programs() -> None:
    """Skip the test where a program is missing, or fail where that is `REQUIRED`."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if not missing and subprocess.run(["gst-inspect-1.0", "pipewiresrc"], capture_output=True).returncode != 0:
        missing = ["pipewiresrc"]
    if missing:
        reason = f"needs {', '.join(missing)}: apt install {PACKAGES}"
        if os.environ.get(REQUIRED):
            pytest.fail(reason)
        pytest.skip(reason)


@dataclass
class Session:
    """A running desktop session."""

    folder: Path
    environment: dict[str, str]

    def nodes(self) -> list[str]:
        """Names of the cameras in the session."""
        dump = subprocess.run(["pw-dump"], env=self.environment, capture_output=True, timeout=30)
        found = []
        for item in json.loads(dump.stdout or b"[]"):
            properties = (item.get("info") or {}).get("props") or {}
            if properties.get("media.class") == "Video/Source" and item["type"].endswith("Node"):
                found.append(str(properties.get("node.name")))
        return found


@contextmanager
def running(folder: Path) -> Iterator[Session]:
    """A session in that folder, whose path must be short; ended in the end."""
    folder.chmod(0o700)
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    environment.update(XDG_RUNTIME_DIR=str(folder), HOME=str(folder), XDG_CONFIG_HOME=str(folder))
    address = f"unix:path={folder}/bus"
    environment["DBUS_SESSION_BUS_ADDRESS"] = address
    session = Session(folder, environment)
    with ExitStack() as stack:
        for command in (
            ["dbus-daemon", "--session", "--nofork", f"--address={address}"],
            ["pipewire"],
            ["wireplumber"],
        ):
            stack.enter_context(program(command, environment, folder / f"{command[0]}.log"))
            until((folder / ("bus" if command[0] == "dbus-daemon" else "pipewire-0")).exists)
        until(lambda: b"WirePlumber" in subprocess.run(["pw-dump"], env=environment, capture_output=True).stdout)
        yield session


@contextmanager
def program(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program that is ended in the end; what it says goes to `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Reader:
    """A program that takes the virtual camera: GStreamer, which hands the pictures on through a pipe."""

    def __init__(self, session: Session, width: int, height: int) -> None:
        self._shape = height * 3 // 2, width
        pipeline = "pipewiresrc target-object=clearcall ! video/x-raw,format=I420 ! fdsink fd=1 sync=false"
        self._process = subprocess.Popen(
            ["gst-launch-1.0", "-q", *pipeline.split()],
            env=session.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def read(self) -> tuple[float, Picture]:
        """The next picture and when it came."""
        assert self._process.stdout is not None
        data = self._process.stdout.read(self._shape[0] * self._shape[1])
        assert len(data) == self._shape[0] * self._shape[1], "the reader broke off"
        return time.monotonic(), np.frombuffer(data, np.uint8).reshape(self._shape)

    def until(self, condition: Callable[[Picture], object], most: int = 900) -> tuple[float, Picture]:
        """The first picture for which it holds."""
        for _ in range(most):
            found, picture = self.read()
            if condition(picture):
                return found, picture
        raise AssertionError(f"not among {most} pictures")

    def close(self) -> None:
        """Leave."""
        self._process.terminate()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.wait(10)

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until `condition()` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
