"""What processes use is read rightly."""

from __future__ import annotations

import os

import pytest

from benchmarks.latency import processes
from benchmarks.latency.processes import Use


def test_a_name_with_brackets_and_spaces_does_not_shift_the_fields() -> None:
    rest = " ".join(str(number) for number in range(4, 53))
    assert processes.processor_ticks(f"77 (a) b (c) S {rest}") == 14 + 15


def test_use_between_the_first_look_and_the_last() -> None:
    mib = 2**20
    looks = [Use(10.0, 5.0, 100 * mib), Use(12.0, 6.5, 130 * mib), Use(14.0, 7.0, 120 * mib)]
    assert processes.usage(looks) == {
        "cpu_percent": 50.0,
        "memory_first_mib": 100.0,
        "memory_last_mib": 120.0,
        "memory_max_mib": 130.0,
    }
    assert processes.usage(looks[:1]) is None


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="only Linux tells")
def test_a_process_that_is_there_and_one_that_is_not() -> None:
    here = processes.look(os.getpid(), 1.0)
    assert here is not None and here.memory > 2**20 and here.cpu_s > 0
    assert processes.look(2**22 + 1, 1.0) is None
