"""The ring of buffers: bounded, in order, and nothing goes without a count."""

from __future__ import annotations

import pytest

from stream.frames.ring import Ring


class Clock:
    """Seconds, set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def ring(capacity: int = 3) -> tuple[Ring[bytearray], Clock]:
    clock = Clock()
    return Ring(capacity, lambda: bytearray(1), clock), clock


def fill(into: Ring[bytearray], *values: int) -> None:
    for value in values:
        into.filling()[0] = value
        into.commit()


def test_first_in_first_out() -> None:
    it, clock = ring()
    clock.now = 5.0
    fill(it, 10, 11)
    clock.now = 6.0
    fill(it, 12)
    assert len(it) == 3
    entries = []
    while (entry := it.take()) is not None:
        entries.append((entry.buffer[0], entry.sequence, entry.filled_at))
    assert entries == [(10, 0, 5.0), (11, 1, 5.0), (12, 2, 6.0)]
    assert len(it) == 0 and not it.dropped


def test_when_full_the_oldest_goes_and_the_gap_shows() -> None:
    it, _ = ring()
    fill(it, *range(10, 15))
    assert len(it) == 3 and it.dropped == {"full": 2}
    first = it.take()
    assert first is not None and (first.buffer[0], first.sequence) == (12, 2)


def test_what_is_stale_is_dropped() -> None:
    it, clock = ring()
    fill(it, 10, 11)
    clock.now = 1.0
    fill(it, 12)
    entry = it.take(older_than=0.5)
    assert entry is not None and entry.buffer[0] == 12
    assert it.dropped == {"stale": 2} and it.take(older_than=0.5) is None


def test_an_entry_taken_stays_whole_while_the_next_are_filled() -> None:
    # Guards against a crop that is overwritten while the engine still reads it.
    it, _ = ring(capacity=2)
    fill(it, 10)
    taken = it.take()
    assert taken is not None
    fill(it, 11, 12)
    assert taken.buffer[0] == 10 and len(it) == 2


def test_the_buffer_is_the_same_until_it_is_committed() -> None:
    # Guards against a half-filled buffer of a failed frame being handed out.
    it, _ = ring()
    failed = it.filling()
    failed[0] = 99
    assert it.filling() is failed and it.take() is None
    fill(it, 10)
    entry = it.take()
    assert entry is not None and entry.buffer is failed and entry.buffer[0] == 10


def test_memory_is_made_once() -> None:
    made: list[bytearray] = []

    def make() -> bytearray:
        made.append(bytearray(1))
        return made[-1]

    it = Ring(3, make, Clock())
    fill(it, *range(50))
    assert len(made) == 4


def test_clear_counts() -> None:
    it, _ = ring()
    fill(it, 1, 2)
    it.clear()
    assert len(it) == 0 and it.take() is None and it.dropped == {"cleared": 2}
    fill(it, 3)
    entry = it.take()
    assert entry is not None and entry.sequence == 2


def test_no_room_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one buffer, not 0"):
        ring(capacity=0)
