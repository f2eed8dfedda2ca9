"""Keeps the garbage collector out of frames, and a relay that runs all day from growing with every call."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress


def settle() -> None:
    """Call once all is loaded: what is there by then lives as long as the process, and is never looked at again.

    A full collection, which may fall into any frame, then has only what calls have made to look at.
    """
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Call some time after a call has ended: its memory goes back to the system.

    What decoders and encoders free, glibc keeps for each thread that asked for it, and every call brings threads of its
    own: without this a relay grew by 17 MiB with each call (malloc_trim(3)). Other C libraries do without.
    """
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
