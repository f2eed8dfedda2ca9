"""Steps at a camera's rate: what a call sees, where caches have gone cold and clocks slowed down since the last one."""

from __future__ import annotations

import time
from collections.abc import Callable


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
