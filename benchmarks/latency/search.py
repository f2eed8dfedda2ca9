"""How many: the largest number that holds, found by doubling and bisecting."""

from __future__ import annotations

from collections.abc import Callable


def largest(holds: Callable[[int], bool], most: int) -> int:
    """The largest n from 1 to `most` that `holds(n)`, given that what holds n holds fewer; 0 when not even one does.

    Asks about 2·log2(n) times, and for no number twice.
    """
    good, bad = 0, most + 1
    trial = 1
    while trial < bad and holds(trial):
        good = trial
        trial = min(2 * trial, most) if trial < most else bad
    bad = min(bad, trial)
    while bad - good > 1:
        middle = (good + bad) // 2
        if holds(middle):
            good = middle
        else:
            bad = middle
    return good
