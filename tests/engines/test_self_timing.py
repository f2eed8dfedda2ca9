"""Which engine is faster here: measured once, remembered, and never in the way."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engines.self_timing import STEPS, measure, relative_cost
from tests.engines.fakes import FakeEngine
from tests.export.tiny_family import manifests


def clock(*steps: float) -> Callable[[], float]:
    """Time stands still but within a step, which takes the next of these seconds."""
    lengths, now, inside = itertools.cycle(steps), [0.0], [False]

    def read() -> float:
        if inside[0]:
            now[0] += next(lengths)
        inside[0] = not inside[0]
        return now[0]

    return read


def engines() -> tuple[FakeEngine, FakeEngine]:
    return FakeEngine(manifests()[0]), FakeEngine(manifests()[1])


def test_the_fastest_steps_are_compared_since_the_rest_is_others_doing() -> None:
    one, other = engines()
    slow = [1.0, 2.0] * (STEPS - 1)
    assert measure(one, other, clock(*slow, 0.006, 0.010)) == pytest.approx(0.6)
    assert one.steps == other.steps == STEPS


def test_it_is_measured_once(tmp_path: Path) -> None:
    one, other = engines()
    assert relative_cost(one, other, 1, tmp_path, clock(0.006, 0.010)) == 0.6
    assert relative_cost(one, other, 1, tmp_path, clock(9.0, 1.0)) == 0.6
    assert one.steps == STEPS
    # Other threads are another machine, as it were.
    assert relative_cost(one, other, 2, tmp_path, clock(9.0, 1.0)) == 9.0


@pytest.mark.parametrize("days", [-4, 4])
def test_it_is_not_remembered_for_good(tmp_path: Path, days: int) -> None:
    # Guards against a busy minute that keeps a machine from integers for ever.
    one, other = engines()
    relative_cost(one, other, 1, tmp_path, clock(0.010, 0.010))
    (path,) = tmp_path.iterdir()
    then = time.time() - days * 24 * 3600
    os.utime(path, (then, then))
    assert relative_cost(one, other, 1, tmp_path, clock(0.006, 0.010)) == 0.6
    assert relative_cost(one, other, 1, tmp_path, clock(9.0, 1.0)) == 0.6


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cost": "?"}', '{"cost": -1}', '{"cost": NaN}'])
def test_a_damaged_memory_is_made_anew(tmp_path: Path, content: str) -> None:
    one, other = engines()
    relative_cost(one, other, 1, tmp_path, clock(0.006, 0.010))
    (path,) = tmp_path.iterdir()
    path.write_text(content)
    assert relative_cost(one, other, 1, tmp_path, clock(0.005, 0.010)) == 0.5
    assert relative_cost(one, other, 1, tmp_path, clock(9.0, 1.0)) == 0.5


def test_a_folder_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    one, other = engines()
    assert relative_cost(one, other, 1, tmp_path / "file", clock(0.006, 0.010)) == 0.6
