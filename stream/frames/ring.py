"""A bounded ring of buffers that are made once: the newest come in, the oldest go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Entry(Generic[T]):
    """A filled buffer; it belongs to the ring and stays as it is until as many newer ones came as the ring holds."""

    buffer: T
    sequence: int = -1
    """Rises by one with each filled buffer, dropped ones included; a gap tells what is missing."""
    filled_at: float = 0.0
    """Seconds on the ring's clock"""


class Ring(Generic[T]):
    """First in, first out; when full, the oldest is dropped for the newest. One thread at a time.

    `filling` gives the next free buffer, to be written in place; `commit` makes it visible; `take` hands out the
    oldest.
    """

    def __init__(self, capacity: int, make: Callable[[], T], clock: Callable[[], float]) -> None:
        """Make the buffers: one more than `capacity`, so that the one taken last stays whole while the next is filled.

        Raises:
            ValueError: The capacity is below 1.
        """
        if capacity < 1:
            raise ValueError(f"a ring holds at least one buffer, not {capacity}")
        self.capacity = capacity
        self._entries = [Entry(make()) for _ in range(capacity + 1)]
        self._clock = clock
        self._next = 0
        self._held = 0
        self._sequence = 0
        self.dropped: Counter[str] = Counter()
        """How many were never taken, by reason: `full`, `stale`, `cleared`."""

    def __len__(self) -> int:
        """Filled buffers that wait."""
        return self._held

    def filling(self) -> T:
        """The buffer to write the next item into; the same one until `commit`."""
        return self._entries[self._next].buffer

    def commit(self) -> Entry[T]:
        """Make the buffer just filled the newest entry."""
        entry = self._entries[self._next]
        entry.sequence, entry.filled_at = self._sequence, self._clock()
        self._sequence += 1
        self._next = (self._next + 1) % len(self._entries)
        if self._held == self.capacity:
            self.dropped["full"] += 1
        else:
            self._held += 1
        return entry

    def take(self, older_than: float | None = None) -> Entry[T] | None:
        """The oldest entry, or None; entries filled more than `older_than` seconds ago are dropped first."""
        while self._held:
            entry = self._entries[(self._next - self._held) % len(self._entries)]
            self._held -= 1
            if older_than is None or self._clock() - entry.filled_at <= older_than:
                return entry
            self.dropped["stale"] += 1
        return None

    def clear(self) -> None:
        """Drop all that waits."""
        self.dropped["cleared"] += self._held
        self._held = 0
