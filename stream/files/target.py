"""Where the output goes, checked before any work is done."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from engines.errors import BadInput
from stream.files.choice import check_container


def check_writable(output: Path, source: Path, lossless: bool) -> Path:
    """The file that `output` means once links are followed, if it can be written.

    Raises:
        BadInput: It is the input itself, no name for a video, no file, or in a folder that is missing or closed.
    """
    check_container(output.suffix.lower(), lossless)
    final = Path(os.path.realpath(output))
    try:
        if final.exists() and os.path.samefile(final, source):
            raise BadInput(f"OUTPUT is the same file as INPUT: {output}")
        folder = final.parent.stat().st_mode
        there = final.stat().st_mode if final.exists() else stat.S_IFREG
    except OSError as error:
        raise BadInput(f"cannot write {output}: {error.strerror}") from error
    if not stat.S_ISDIR(folder):
        raise BadInput(f"cannot write {output}: {final.parent} is not a folder")
    if not stat.S_ISREG(there):
        raise BadInput(f"cannot write {output}: {'it is a folder' if stat.S_ISDIR(there) else 'not a file'}")
    if not os.access(final.parent, os.W_OK | os.X_OK) or (final.exists() and not os.access(final, os.W_OK)):
        raise BadInput(f"cannot write {output}: permission denied")
    return final
