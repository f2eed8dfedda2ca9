"""Ctrl-C and SIGTERM end a build: raised inside the library's callbacks they were swallowed, and the build went on."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from engines.signals import HELD, held_back
from tests.engines.test_plan_build import MISSING, REQUIRED

ROOT = Path(__file__).parents[2]
DRIVER = """
import sys
from types import SimpleNamespace
from engines import cuda, plan_progress
from stream.cli import main

of_step = plan_progress.Steps.step

def step(self, name, index):
    print("building", flush=True)
    return of_step(self, name, index)

plan_progress.Steps.step = step
cuda.cuda_device = lambda: SimpleNamespace(capability="sm89", name="none", enter=lambda: None)
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def as_found() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in HELD}
    yield
    assert {number: signal.getsignal(number) for number in HELD} == before


@pytest.mark.parametrize("number", HELD)
def test_a_signal_is_told_at_once_and_raised_at_the_end(number: signal.Signals) -> None:
    def heard(number: int, frame: FrameType | None) -> None:
        raise InterruptedError(signal.Signals(number).name)

    before = signal.signal(number, heard)
    try:
        with pytest.raises(InterruptedError, match=number.name), held_back() as came:
            assert not came()
            signal.raise_signal(number)
            assert came()
            raise ValueError("stopped, as the library says it")
    finally:
        signal.signal(number, before)


def test_what_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with held_back() as came:
            signal.raise_signal(signal.SIGTERM)
            assert not came()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_in_another_thread_nothing_is_held_back() -> None:
    """There signals cannot be set, and an error would end the build."""
    seen: list[bool] = []

    def work() -> None:
        with held_back() as came:
            seen.append(came())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]


@pytest.mark.skipif(os.name == "nt", reason="needs signals between processes")
@pytest.mark.parametrize(("number", "status", "said"), [
    (signal.SIGTERM, 143, "clearcall: terminated"),
    (signal.SIGINT, 130, "clearcall: interrupted"),
])  # fmt: skip
@pytest.mark.parametrize("command", ["build --for sm89 --sizes 512", "relay --engine tensorrt-rtx --port 0"])
def test_a_build_in_earnest_ends_and_leaves_no_plan(
    tmp_path: Path, number: signal.Signals, status: int, said: str, command: str
) -> None:
    if importlib.util.find_spec("tensorrt_rtx") is None:
        (pytest.fail if os.environ.get(REQUIRED) else pytest.skip)(MISSING)
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, *command.split()],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None and process.stdout.readline() == "building\n"
        process.send_signal(number)
        errors = process.communicate(timeout=120)[1]
    finally:
        process.kill()
    assert process.returncode == status, errors
    assert errors.splitlines()[-1] == said and "Traceback" not in errors
    assert not list(tmp_path.rglob("*.plan"))
