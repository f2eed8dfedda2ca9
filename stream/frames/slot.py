"""The newest item wins: the hand-over between threads that never queues."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestSlot(Generic[T]):
    """Holds one item; a new one takes the place of one that nobody fetched, which is counted as dropped."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._closed = False
        self.dropped = 0
        """Items replaced before they were fetched, or still there at the end."""

    def put(self, item: T) -> bool:
        """Leave an item; False, and nothing kept, once the slot is closed."""
        with self._changed:
            if self._closed:
                self.dropped += 1
                return False
            self.dropped += self._item is not None
            self._item = item
            self._changed.notify()
            return True

    def take(self) -> T | None:
        """Fetch the item, if there is one."""
        with self._changed:
            item, self._item = self._item, None
            return item

    def wait(self) -> T | None:
        """Fetch the item, waiting for one; None once the slot is closed."""
        with self._changed:
            while self._item is None and not self._closed:
                self._changed.wait()
            item, self._item = self._item, None
            return item

    def close(self) -> None:
        """End it: waiters are woken, and what is still there is dropped."""
        with self._changed:
            self._closed = True
            self.dropped += self._item is not None
            self._item = None
            self._changed.notify_all()
