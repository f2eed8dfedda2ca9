"""Steps begin on a beat, whatever they take."""

from __future__ import annotations

import pytest

from benchmarks.paced import paced


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_steps_begin_on_the_beat_and_a_long_one_moves_it() -> None:
    clock, begun = _Clock(), list[float]()
    lengths = iter([0.01, 0.01, 0.25, 0.01, 0.01])

    def step() -> None:
        begun.append(clock.now)
        clock.now += next(lengths)

    assert paced(step, 5, 10, clock, clock.sleep) == pytest.approx([10, 10, 250, 10, 10])
    # The third begins at 0.2 and ends at 0.45; the fourth at once; the fifth a beat after it, not in a hurry.
    assert begun == pytest.approx([0.0, 0.1, 0.2, 0.45, 0.55])
