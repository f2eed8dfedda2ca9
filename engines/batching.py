"""Frames of several sessions that are due at the same time go through the engine together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from engines.errors import EngineError

T = TypeVar("T", bound=Hashable)

WAIT_S = 0.002
"""What the first frame of a batch waits for others, at most."""
ACTIVE_S = 0.1
"""A session that has brought nothing for so long is not waited for."""


@dataclass(slots=True)
class Gathering(Generic[T]):
    """Decides when a batch goes off. One session alone never waits."""

    max_batch: int
    wait_s: float = WAIT_S
    _waiting: list[tuple[T, float]] = field(default_factory=list)
    """Sessions and when they came, the oldest first"""
    _seen: dict[T, float] = field(default_factory=dict)

    def add(self, session: T, now: float) -> None:
        """A session brings a frame. It must not bring another before this one was taken."""
        self._seen[session] = now
        self._waiting.append((session, now))

    def take(self, now: float) -> list[T]:
        """The batch that goes off now, the oldest frames first; empty while it is worth waiting."""
        if not self._waiting or self.remaining(now) > 0:
            return []
        batch = [session for session, _ in self._waiting[: self.max_batch]]
        del self._waiting[: self.max_batch]
        return batch

    def remaining(self, now: float) -> float:
        """Seconds until a batch goes off if nobody else comes; 0 for now."""
        self._seen = {session: at for session, at in self._seen.items() if now - at < ACTIVE_S}
        if not self._waiting:
            return self.wait_s
        here = {session for session, _ in self._waiting}
        if len(here) >= self.max_batch or here.issuperset(self._seen):
            return 0.0
        return max(0.0, self._waiting[0][1] + self.wait_s - now)


class Batcher(Generic[T]):
    """Lets threads run their frames together: one of them runs the batch, the others wait for it."""

    def __init__(
        self,
        run: Callable[[list[T]], None],
        max_batch: int,
        wait_s: float = WAIT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run = run
        self._clock = clock
        self._gathering: Gathering[T] = Gathering(max_batch, wait_s)
        self._changed = threading.Condition()
        self._running = False
        self._done: dict[T, Exception | None] = {}

    def step(self, session: T) -> None:
        """Return when the session's frame has been through; raises what its batch raised."""
        with self._changed:
            self._gathering.add(session, self._clock())
            self._changed.notify_all()
            while session not in self._done:
                batch = [] if self._running else self._gathering.take(self._clock())
                if batch:
                    self._go(batch)
                else:
                    self._changed.wait(None if self._running else self._gathering.remaining(self._clock()))
            error = self._done.pop(session)
        if error is not None:
            # One error for several threads: each raises its own.
            raise type(error)(*error.args) from error

    def run_together(self, sessions: list[T]) -> None:
        """Run these as they are, as soon as the batch that runs is through; for who has several frames at hand."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running)
            self._running = True
        try:
            self._run(sessions)
        finally:
            with self._changed:
                self._running = False
                self._changed.notify_all()

    def _go(self, batch: list[T]) -> None:
        """Run a batch with the lock let go, so that others can gather meanwhile."""
        self._running = True
        error: Exception | None = EngineError("interrupted")
        self._changed.release()
        try:
            self._run(batch)
            error = None
        except Exception as raised:
            error = raised
        finally:
            self._changed.acquire()
            self._running = False
            self._done.update(dict.fromkeys(batch, error))
            self._changed.notify_all()
