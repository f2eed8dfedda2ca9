"""The whole command with the real filter: a recording goes in, another program takes the virtual camera."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest

from engines.errors import ClearcallError
from engines.manifest import read_family
from stream.webcam import control
from tests.media import CALL_VIDEO, needs_shared
from tests.stream.webcam.session import Picture, Reader, Session, until

SIDE = 240
"""Columns left and right that the face never reaches: there every bit stays."""
FRAMES = 180
LENGTH = 240
"""Frames of the recording."""
BUSY = ("--latency-budget", "1s")
"""A busy machine must not take the restoring away that is looked for."""


def sides(picture: Picture) -> bytes:
    """The part of a picture that tells which frame of the recording it is."""
    return picture[:720:4, :SIDE].tobytes() + picture[:720:4, -SIDE:].tobytes()


@pytest.fixture(scope="module")
def recording() -> dict[bytes, list[int]]:
    """What the sides look like to the numbers of the frames that look so."""
    found: dict[bytes, list[int]] = {}
    with av.open(str(CALL_VIDEO)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            found.setdefault(sides(np.asarray(frame.to_ndarray(), np.uint8)), []).append(number)
    return found


@contextmanager
def webcam(session: Session, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """The command, once its node is there, and the path of its control socket."""
    environment = {**os.environ, "XDG_RUNTIME_DIR": session.environment["XDG_RUNTIME_DIR"]}
    command = [sys.executable, "-m", "stream.cli", "webcam", "--input", str(CALL_VIDEO), *BUSY, *options]
    with (session.folder / "webcam.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        until(lambda: session.nodes() == ["clearcall"] or process.poll() is not None)
        assert process.poll() is None, (session.folder / "webcam.log").read_text()
        yield process, control.socket_path(environment)
    finally:
        process.kill()
        process.wait()


def need_model() -> None:
    try:
        read_family("lite")
    except ClearcallError:
        pytest.skip("needs the model lite")


@needs_shared
def test_frames_come_in_order_at_thirty_a_second_and_restored(
    session: Session, recording: dict[bytes, list[int]]
) -> None:
    need_model()
    with webcam(session, "--prompt", "noise") as (process, socket):
        with Reader(session, 1280, 720) as reader:
            reader.until(lambda picture: sides(picture) in recording)
            taken = [reader.read() for _ in range(FRAMES)]
        figures = control.ask({}, socket)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert session.nodes() == [] and not socket.exists()
    numbers = [recording.get(sides(picture)) for _, picture in taken]
    assert all(numbers), "every picture is one of the recording, untouched beside the face"
    pairs = zip(numbers, numbers[1:], strict=False)
    steps = [min((b - a) % LENGTH for a in one or [] for b in two or []) for one, two in pairs]
    assert max(steps) < LENGTH // 2, "never back"
    assert sum(step > 0 for step in steps) > len(steps) / 2, "repeats are the exception"
    # In groups: a moment in which a busy machine stands still must not decide.
    times = [time for time, _ in taken]
    rates = [30 / (times[start + 30] - times[start]) for start in range(0, FRAMES - 30, 30)]
    assert statistics.median(rates) == pytest.approx(30, rel=0.02)
    filtered = figures["filter"]
    assert isinstance(filtered, dict) and filtered["changed"] > FRAMES / 2


@needs_shared
def test_switched_off_by_signal_the_picture_is_the_recordings_own(session: Session) -> None:
    need_model()
    with av.open(str(CALL_VIDEO)) as container:
        whole = {frame.to_ndarray().tobytes() for frame in container.decode(video=0)}
    with webcam(session, "--prompt", "noise") as (process, socket), Reader(session, 1280, 720) as reader:
        reader.until(lambda picture: picture[0, 0] != 40 and picture.tobytes() not in whole)
        process.send_signal(signal.SIGUSR1)
        reader.until(lambda picture: picture.tobytes() in whole)
        assert all(reader.read()[1].tobytes() in whole for _ in range(30))
        assert control.ask({"toggle": True, "strength": 0.5}, socket)["on"] is True
        reader.until(lambda picture: picture.tobytes() not in whole)


@needs_shared
def test_a_second_webcam_is_told_that_one_runs(session: Session) -> None:
    need_model()
    with webcam(session):
        environment = {**os.environ, "XDG_RUNTIME_DIR": session.environment["XDG_RUNTIME_DIR"]}
        command = [sys.executable, "-m", "stream.cli", "webcam", "--input", str(CALL_VIDEO), *BUSY]
        second = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert second.returncode == 1
    assert second.stderr.startswith("clearcall: another clearcall webcam runs") and second.stderr.count("\n") == 1
