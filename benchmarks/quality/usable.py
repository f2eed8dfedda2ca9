"""Which files of a folder can be judged: one that cannot is left out with a word, and does not end the run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from engines.errors import BadInput

Item = TypeVar("Item")


def usable(items: Sequence[Item], read: Callable[[Item], object]) -> list[Item]:
    """Those that can be read; why others cannot, as they are damaged or too small, is said on stderr.

    Args:
        items: Files, or pairs of them.
        read: Reads the beginning of one; BadInput where that cannot be done.

    Raises:
        BadInput: None of them can be read; it says why of the first.
    """
    kept, reasons = [], []
    for item in items:
        try:
            read(item)
            kept.append(item)
        except BadInput as error:
            reasons.append(str(error))
    if not kept:
        more = f", and {len(reasons) - 1} more that cannot be used" if len(reasons) > 1 else ""
        raise BadInput((reasons or ["no files"])[0] + more)
    for reason in reasons:
        print(f"left out: {reason}", file=sys.stderr, flush=True)
    return kept
