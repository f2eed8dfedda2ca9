"""The table of calls: bounded, with ids that nobody can guess, and swept of calls that bring no picture."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from engines.errors import ClearcallError

SWEEP_INTERVAL_S = 1.0

log = logging.getLogger(__name__)


class RelayFull(ClearcallError):
    """The table holds as many calls as it may."""


class Call(Protocol):
    """What the table needs of a call."""

    id: str
    number: int
    last_media: float

    async def close(self, reason: str = "") -> None:
        """End it and free everything, and tell the caller the reason, if there is one; may be called again."""


C = TypeVar("C", bound=Call)


def starved(calls: Iterable[C], now: float, limit: float) -> list[C]:
    """The calls whose last picture is more than `limit` seconds old."""
    return [call for call in calls if now - call.last_media > limit]


class SessionTable(Generic[C]):
    """Calls by id; a call holds its place until everything of it is freed."""

    def __init__(
        self,
        limit: int,
        media_timeout_s: float,
        on_freed: Callable[[C], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit = limit
        self.started = 0
        """Calls so far."""
        self.refused = 0
        """Callers turned away because the table was full."""
        self._media_timeout_s = media_timeout_s
        self._on_freed = on_freed
        self._clock = clock
        self._calls: dict[str, C] = {}
        self._opening = 0
        self._ending: dict[str, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[C]:
        return iter(list(self._calls.values()))

    def get(self, call_id: str) -> C | None:
        """The call of this id, unless it is gone or ending."""
        return None if call_id in self._ending else self._calls.get(call_id)

    @contextmanager
    def place(self) -> Iterator[int]:
        """Hold a place while a call is being set up; gives the call's number.

        Raises:
            RelayFull: There is none.
        """
        if len(self._calls) + self._opening >= self.limit:
            self.refused += 1
            raise RelayFull(f"the relay is full: {self.limit} of {self.limit} calls")
        self._opening += 1
        self.started += 1
        try:
            yield self.started
        finally:
            self._opening -= 1

    def add(self, call: C) -> None:
        """Enter a call that is set up, within its `place`."""
        self._calls[call.id] = call

    def end(self, call: C, reason: str, known: bool = False) -> asyncio.Task[None]:
        """Start ending a call; the task is done when its place is free. Once is enough, more do no harm.

        A caller by whom the reason is `known` is not told it.
        """
        task = self._ending.get(call.id)
        if task is None:
            log.info("call %d: ended, %s", call.number, reason)
            task = asyncio.ensure_future(self._end(call, "" if known else reason))
            self._ending[call.id] = task
        return task

    async def _end(self, call: C, reason: str) -> None:
        try:
            await call.close(reason)
        except Exception:
            # Whatever went wrong there, the place must come free.
            log.exception("call %d: could not be closed cleanly", call.number)
        finally:
            self._ending.pop(call.id, None)
            if self._calls.pop(call.id, None) is not None and self._on_freed is not None:
                self._on_freed(call)

    async def sweep(self) -> None:
        """End calls without media, for ever."""
        while True:
            for call in starved(self._calls.values(), self._clock(), self._media_timeout_s):
                self.end(call, f"no picture for {self._media_timeout_s:g} s")
            await asyncio.sleep(SWEEP_INTERVAL_S)

    async def close(self) -> None:
        """End all calls and wait until they are freed."""
        await asyncio.gather(*(self.end(call, "the relay stops") for call in self))
