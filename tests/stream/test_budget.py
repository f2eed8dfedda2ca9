"""The graphs that fit the time: no slower one for long, no taking turns."""

from __future__ import annotations

from stream.budget import SETTLED, Budget

SIZES = (512, 256, 384)


def steps(budget: Budget, size: int, seconds: float, count: int = 3 * SETTLED) -> None:
    for _ in range(count):
        budget.took(size, seconds)


def test_without_a_budget_all_run() -> None:
    budget = Budget(SIZES, None)
    steps(budget, 512, 9.0)
    assert budget.allowed() == (256, 384, 512)


def test_what_is_too_slow_goes_until_the_smallest_is_left() -> None:
    budget = Budget(SIZES, 0.02)
    steps(budget, 512, 0.03)
    assert budget.allowed() == (256, 384)
    steps(budget, 384, 0.025)
    assert budget.allowed() == (256,)
    steps(budget, 256, 0.5)
    assert budget.allowed() == (256,)


def test_one_slow_step_decides_nothing() -> None:
    budget = Budget(SIZES, 0.02)
    steps(budget, 512, 0.01)
    budget.took(512, 0.1)
    assert budget.allowed() == (256, 384, 512)


def test_it_comes_back_only_with_room_to_spare() -> None:
    # Guards against two graphs taking turns: each switch forgets the latents.
    budget = Budget(SIZES, 0.02)
    steps(budget, 512, 0.03)
    steps(budget, 384, 0.011)
    assert budget.allowed() == (256, 384)
    steps(budget, 384, 0.005)
    assert budget.allowed() == (256, 384, 512)


def test_a_small_face_regains_one_size_after_the_other() -> None:
    budget = Budget(SIZES, 0.02)
    steps(budget, 512, 0.03)
    steps(budget, 384, 0.03)
    steps(budget, 256, 0.002, SETTLED)
    assert budget.allowed() == (256, 384)
    steps(budget, 256, 0.002, SETTLED)
    assert budget.allowed() == (256, 384, 512)
