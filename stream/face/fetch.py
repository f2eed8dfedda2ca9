"""Fetches one wheel with the user's own pip, and shows that it is at work."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from engines.errors import ClearcallError

OFFLINE = "pip cannot reach its package index"


class FetchError(ClearcallError):
    """pip could not fetch the wheel."""


def download_wheel(package: str, tags: Sequence[Sequence[str]], work: Path, notice: str) -> Path:
    """Let pip put a wheel of `package` into `work`; its own settings say from where, how and with what cache.

    Args:
        package: A requirement with an exact version.
        tags: pip's options for platform and Python of the wheels that will do, tried in turn.
        work: An empty directory of the caller's.
        notice: What is said on standard error meanwhile.

    Raises:
        FetchError: There is no pip, or it fails; the text says why.
    """
    if importlib.util.find_spec("pip") is None:
        raise FetchError("this Python has no pip")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", "--retries=2"]
    command += ["download", package, "--no-deps", "--only-binary=:all:", "--progress-bar=off", "--dest", str(work)]
    words = "no wheel"
    with _Progress(notice) as progress:
        for options in tags:
            status, output = _run([*command, *options], work, progress)
            wheel = next(work.glob("*.whl"), None)
            if status == 0 and wheel is not None:
                return wheel
            words = _last_words(output)
            if words == OFFLINE:
                break
    raise FetchError(words)


def _run(command: list[str], work: Path, progress: _Progress) -> tuple[int, str]:
    with tempfile.TemporaryFile("w+", dir=work, encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            while process.poll() is None:
                progress.tick()
                time.sleep(0.1)
        finally:
            # Only still running when the wait was broken off (Ctrl-C): pip must not go on behind the user's back.
            if process.poll() is None:
                process.kill()
                process.wait()
        log.seek(0)
        return process.returncode, log.read()


def _last_words(output: str) -> str:
    """What pip's output says, in one line; that a package is not to be had is only how a broken line shows to it."""
    if "connection broken" in output or "NewConnectionError" in output:
        return OFFLINE
    errors = [line.strip() for line in output.splitlines() if line.startswith("ERROR")]
    return errors[-1][:200] if errors else "pip failed"


class _Progress:
    """One line on standard error, with the seconds gone by where it is a terminal."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._start = time.monotonic()
        self._live = sys.stderr.isatty()

    def __enter__(self) -> _Progress:
        print(f"{self._text} …", end="" if self._live else "\n", file=sys.stderr, flush=True)
        return self

    def tick(self) -> None:
        if self._live:
            seconds = time.monotonic() - self._start
            print(f"\r{self._text} … {seconds:.0f} s", end="", file=sys.stderr, flush=True)

    def __exit__(self, *_: object) -> None:
        if self._live:
            print(file=sys.stderr, flush=True)
