"""Files that are whole at any moment: written beside their place, and put there once all of it is on the disk."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO

PART = ".part-"
"""How the name of a file begins that is being written; one that was killed meanwhile leaves it behind."""


def replace_file(target: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees a part of it; folders on the way are made.

    Raises:
        OSError: That cannot be; what was there before stays.
    """
    with replacing(target) as file:
        file.write(content)


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[IO[bytes]]:
    """The same for what is written bit by bit: a file that takes its place at the end, if nothing was raised within.

    Raises:
        OSError: That cannot be; what was there before stays.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own, since two processes may write the same file at once. Not `tempfile`: what that makes, other
    # users could not read.
    part = target.with_name(PART + secrets.token_hex(8))
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
