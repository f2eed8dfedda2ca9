"""What is timed runs at the clock that load brings: 20 short steps left a GPU at 345 MHz."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch

from benchmarks import all_engines, gpu_limits, torch_yardstick
from benchmarks.warm_up import FIRST, SECONDS, warm_up
from tests.engines.fakes import FakeEngine
from tests.export.tiny_family import manifests


class Steps:
    """Steps of so many seconds, the first of them longer."""

    def __init__(self, seconds: float, first: float) -> None:
        self.seconds, self.first = seconds, first
        self.now, self.done = 100.0, 0

    def step(self) -> None:
        self.now += self.seconds if self.done else self.first
        self.done += 1


def test_the_load_lasts_as_long_as_it_takes_however_short_a_step() -> None:
    short = Steps(1 / 1024, 1 / 1024)
    warm_up(short.step, lambda: short.now)
    assert short.done == FIRST + 1024 * SECONDS


def test_compiling_in_the_first_step_is_no_load() -> None:
    compiled = Steps(1 / 64, 60.0)
    warm_up(compiled.step, lambda: compiled.now)
    assert compiled.done == FIRST + 64 * SECONDS


def test_a_step_that_is_longer_than_that_is_done_once_more() -> None:
    long = Steps(2.0, 2.0)
    warm_up(long.step, lambda: long.now)
    assert long.done == FIRST + 1


def test_every_timing_on_a_gpu_begins_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of figures that are compared, one that is warmed up otherwise says nothing."""
    warmed: list[str] = []

    def note(name: str, step: Callable[[], object]) -> None:
        warmed.append(name)
        step()

    for module in (all_engines, gpu_limits, torch_yardstick):
        monkeypatch.setattr(module, "warm_up", partial(note, module.__name__))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    done: list[int] = []
    assert "median_ms" in all_engines._timed(FakeEngine(manifests()[0]), 1, 2)
    assert gpu_limits._seconds(lambda: done.append(1), lambda: done.append(0)) >= 0
    assert done == 2 * [*[1] * gpu_limits.TIMES, 0]
    torch_yardstick.timed(lambda: None)
    assert warmed == [module.__name__ for module in (all_engines, gpu_limits, torch_yardstick)]
