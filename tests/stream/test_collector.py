"""The collector has nothing to look at that was there before."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from stream.collector import settle


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_was_loaded_is_left_alone_and_what_comes_after_is_collected() -> None:
    before = len(gc.get_objects())
    settle()
    assert gc.get_freeze_count() > 0.5 * before and len(gc.get_objects()) < 0.5 * before
    cycle: list[object] = []
    cycle.append(cycle)
    del cycle
    assert gc.collect() >= 1
