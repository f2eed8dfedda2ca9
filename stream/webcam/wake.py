"""Wakes the one thread that waits, from any other thread and from signal handlers."""

from __future__ import annotations

import queue


class Wake:
    """As an event that clears itself.

    A plain event may not be set in a signal handler of the very thread that waits for it.
    """

    def __init__(self) -> None:
        self._tokens: queue.SimpleQueue[None] = queue.SimpleQueue()

    def set(self) -> None:
        """End the present wait, or the next one."""
        if self._tokens.empty():
            self._tokens.put(None)

    def wait(self, seconds: float) -> None:
        """Until `set`, or for so long."""
        try:
            self._tokens.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return
        while not self._tokens.empty():
            self._tokens.get()
