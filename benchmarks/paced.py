"""Steps at a camera's rate: what a call sees, where caches have gone cold and clocks slowed down since the last one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

BLOCK = 30
"""Steps that one case takes before the next one's turn: a machine that slows down meanwhile slows all alike."""


def paced_turns(
    cases: Sequence[Callable[[], object]],
    steps: int,
    fps: float,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], object] = time.sleep,
) -> list[list[float]]:
    """Milliseconds of `steps` paced steps of each case, in turns; the first step of each turn comes on top.

    That one would find the caches full of another case's data, which in a call nothing else fills so thoroughly.
    """
    taken: list[list[float]] = [[] for _ in cases]
    for done in range(0, steps, BLOCK):
        for step, times in zip(cases, taken, strict=True):
            times += paced(step, 1 + min(BLOCK, steps - done), fps, clock, sleep)[1:]
    return taken


def paced(
    step: Callable[[], object],
    steps: int,
    fps: float,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], object] = time.sleep,
) -> list[float]:
    """Milliseconds that each of `steps` calls of `step` takes, one begun every 1/fps seconds.

    A step that takes longer than that delays the next one; the beat goes on from there.
    """
    taken = []
    due = clock()
    for _ in range(steps):
        sleep(max(0.0, due - clock()))
        begun = clock()
        step()
        taken.append(1000 * (clock() - begun))
        due = max(due, begun) + 1 / fps
    return taken
