"""Where this user's machine keeps what can be had again: model files fetched, plans built."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def user_cache(kind: str, environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """The folder that clearcall has for one kind of file in the user's cache; it need not exist."""
    if environ.get("XDG_CACHE_HOME"):
        base = Path(environ["XDG_CACHE_HOME"])
    elif platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif platform == "win32" and environ.get("LOCALAPPDATA"):
        base = Path(environ["LOCALAPPDATA"])
    else:
        base = Path.home() / ".cache"
    return base / "clearcall" / kind
