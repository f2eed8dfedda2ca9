"""What to do where no PipeWire session is to be had: all of it at once, and only what can be done here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

PROGRAMS = ("pipewire", "wireplumber")
"""The server, and what connects readers with cameras; packages and units have these names, too."""
INSTALL = f"sudo apt install libpipewire-0.3-0 {' '.join(PROGRAMS)}, then log in anew"
UNITS = tuple(Path(folder) / "systemd" / "user" for folder in ("/etc", "/usr/local/lib", "/usr/lib", "/lib"))


def setup(
    *needed: str,
    which: Callable[[str], str | None] = shutil.which,
    units: tuple[Path, ...] = UNITS,
    environment: Mapping[str, str] = os.environ,
) -> str:
    """What to do so that these of `PROGRAMS` run, all of them unless named."""
    needed = needed or PROGRAMS
    if not all(which(name) for name in needed):
        return INSTALL
    there = all(any((folder / f"{name}.service").exists() for folder in units) for name in needed)
    # In a container, or behind sudo, there is no manager of the user's units that systemctl could ask.
    manager = Path(environment.get("XDG_RUNTIME_DIR") or "/nowhere") / "systemd" / "private"
    if there and manager.exists():
        return f"systemctl --user start {' '.join(needed)}"
    return f"start {' and '.join(needed)} in this session"
