"""The scripts' own environment: what they did not make, they leave alone, and they say what they are at."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(shutil.which("sh") is None, reason="needs a shell")


def install(folder: Path) -> subprocess.CompletedProcess[str]:
    """Install something into the folder's environment."""
    (folder / "pyproject.toml").touch()
    call = f'set -eu; . "{ROOT}/scripts/environment.sh"; install "1 MB" something'
    return subprocess.run(["sh", "-c", call], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_an_environment_that_cannot_be_run_is_not_deleted(tmp_path: Path) -> None:
    # Guards against the loss of a .venv of somebody else's, or of another Python.
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "mine").touch()
    done = install(tmp_path)
    assert done.returncode == 1 and (tmp_path / ".venv" / "mine").exists()
    assert f"{tmp_path}/.venv is there, but its Python cannot be run" in done.stderr


def test_what_takes_long_is_said_and_done_once(tmp_path: Path) -> None:
    # Guards against minutes without a word.
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    assert [install(tmp_path).stderr for _ in range(2)] == ["clearcall: updating .venv\n", ""]
