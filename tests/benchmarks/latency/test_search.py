"""The search finds the number, with few trials."""

from __future__ import annotations

import pytest

from benchmarks.latency.search import largest


@pytest.mark.parametrize("most", [1, 2, 3, 5, 8, 64])
def test_it_finds_every_number(most: int) -> None:
    for truth in range(most + 1):
        asked: list[int] = []

        def holds(number: int, truth: int = truth, asked: list[int] = asked) -> bool:
            asked.append(number)
            return number <= truth

        assert largest(holds, most) == truth
        assert len(asked) == len(set(asked)), "a trial takes long: none twice"
        assert all(1 <= number <= most for number in asked)
        assert len(asked) <= 2 * most.bit_length()
