"""One process at a time builds a plan."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from pathlib import Path

from engines.errors import EngineError

PAUSE_S = 0.2
"""Between two looks at a lock that another process holds: asleep in the system, Ctrl-C would not be heard"""

log = logging.getLogger(__name__)


class NotKept(EngineError):
    """A plan cannot be written down; there may be one all the same."""


@contextlib.contextmanager
def alone(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock of this name, for which others wait; the system lets go of it when a process dies.

    Raises:
        NotKept: There can be no lock in this folder.
    """
    try:
        import fcntl
    except ImportError:
        # Windows: both build, and the later one replaces the earlier one's file by an equal one.
        yield
        return
    told = False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / f".{name}.lock").open("wb")
    except OSError as error:
        raise NotKept(f"plans cannot be kept in {folder}: {error.strerror}") from error
    with lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    log.warning("another process is building %s: waiting for it", name)
                told = True
                time.sleep(PAUSE_S)
            except OSError as error:
                raise NotKept(f"there can be no lock in {folder}: {error.strerror}") from error
        yield
