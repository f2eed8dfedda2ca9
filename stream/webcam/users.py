"""Which programs hold a device open: a busy camera should be named with who has it."""

from __future__ import annotations

import os
from pathlib import Path


def users_of(path: str, proc: Path = Path("/proc")) -> list[str]:
    """Names and process numbers of other programs that have the device open, as far as this user may see."""
    target = os.path.realpath(path)
    found = []
    for folder in sorted(proc.glob("[0-9]*")):
        if folder.name != str(os.getpid()) and _holds(folder / "fd", target):
            found.append(f"{_name(folder)} (process {folder.name})")
    return found


def runs(program: str, proc: Path = Path("/proc")) -> bool:
    """Whether a program of that name runs."""
    # The kernel keeps 15 letters.
    return any(_name(folder) == program[:15] for folder in proc.glob("[0-9]*"))


def _holds(folder: Path, target: str) -> bool:
    try:
        return any(os.readlink(entry.path) == target for entry in os.scandir(folder))
    except OSError:  # gone meanwhile, or another user's
        return False


def _name(folder: Path) -> str:
    try:
        return (folder / "comm").read_text().strip()
    except OSError:
        return "a program"
