"""Steps begin on a beat, whatever they take."""

from __future__ import annotations

import pytest

from benchmarks.paced import BLOCK, paced, paced_turns


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


def test_cases_take_turns_and_the_first_step_of_each_does_not_count() -> None:
    # Guards against a machine that slows down in between, and against caches that the other case has filled.
    clock, order = _Clock(), list[str]()

    def case(name: str) -> None:
        first = not order or order[-1] != name
        order.append(name)
        clock.now += 0.05 if first else 0.01

    found = paced_turns([lambda: case("a"), lambda: case("b")], BLOCK + 5, 10, clock, clock.sleep)
    assert "".join(order) == (1 + BLOCK) * "a" + (1 + BLOCK) * "b" + 6 * "a" + 6 * "b"
    assert [len(times) for times in found] == [BLOCK + 5] * 2
    assert found[0] + found[1] == pytest.approx([10] * 2 * (BLOCK + 5))
