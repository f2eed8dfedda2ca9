"""Steps before a timing: an idle GPU runs at a fraction of its clock, and raises it only under load."""

from __future__ import annotations

import time
from collections.abc import Callable

FIRST = 3
"""Steps that are not counted as load: they compile, record and find out what is fastest"""
SECONDS = 0.5
"""Of steps without a pause, after the first ones"""


def warm_up(step: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> None:
    """Step until what is timed next, without a pause, runs at the clock that load brings.

    Args:
        step: One step; it returns when the step is done, not when it is in line.
        clock: Seconds.
    """
    for _ in range(FIRST):
        step()
    began = clock()
    while clock() - began < SECONDS:
        step()
