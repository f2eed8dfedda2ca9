"""What TensorRT measured while it built: the next build is faster for it, and no build fails for want of it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from engines.whole_file import replace_file


def use_timings(config: Any, path: Path) -> None:
    """Give a builder what was measured before; where that is of no use to it, it measures anew."""
    try:
        known = path.read_bytes()
    except OSError:
        known = b""
    for content in dict.fromkeys((known, b"")):
        cache = config.create_timing_cache(content)
        if cache is not None and config.set_timing_cache(cache, ignore_mismatch=False):
            return


def keep_timings(config: Any, path: Path) -> None:
    """Write down what a builder has measured, all of it or nothing."""
    cache = config.get_timing_cache()
    content = None if cache is None else cache.serialize()
    if content is not None:
        with contextlib.suppress(OSError):
            replace_file(path, bytes(content))
