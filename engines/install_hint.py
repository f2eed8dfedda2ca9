"""What to type where something is not installed: with the Python that runs, from where this clearcall came."""

from __future__ import annotations

import importlib.metadata
import json
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""A clone of the repository, or the folder that pip put the packages into."""


def pip_install(*words: str) -> str:
    """`pip install`, for this very Python: another one's pip would put it elsewhere, and Debian's own refuses."""
    return _line(sys.executable or "python3", "-m", "pip", "install", *words)


def install_extra(extra: str, root: Path = ROOT) -> str:
    """How to install one of clearcall's extras."""
    if is_clone(root):
        return pip_install("-e", f"{root}[{extra}]")
    return pip_install(_requirement(f"clearcall[{extra}]"))


def restore_models(root: Path = ROOT) -> str:
    """How to get the models back as they were shipped."""
    if is_clone(root):
        return _line("git", "-C", str(root), "checkout", "engines/models")
    return pip_install("--force-reinstall", "--no-deps", _requirement("clearcall"))


def is_clone(root: Path) -> bool:
    """Whether this is a clone, installed from its folder or run in it, not what pip copied out of one."""
    return (root / "pyproject.toml").is_file()


def _requirement(name: str) -> str:
    """The package, from where pip had it. The name alone would ask the package index, where anybody may take it."""
    with suppress(importlib.metadata.PackageNotFoundError, ValueError, KeyError, TypeError):
        # Written by pip for what did not come from an index (PEP 610).
        origin = json.loads(importlib.metadata.distribution("clearcall").read_text("direct_url.json") or "")
        kind = f"{origin['vcs_info']['vcs']}+" if "vcs_info" in origin else ""
        return f"{name} @ {kind}{origin['url']}"
    return name


def _line(*words: str) -> str:
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
