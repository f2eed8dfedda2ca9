"""Keeps the garbage collector out of frames."""

from __future__ import annotations

import gc


def settle() -> None:
    """Call once all is loaded: what is there by then lives as long as the process, and is never looked at again.

    A full collection, which may fall into any frame, then has only what calls have made to look at.
    """
    gc.collect()
    gc.freeze()
