"""Engines in line: when one is lost, the next takes over, and the call goes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engines.engine import Engine, LatentCache, StepInputs, StepOutputs
from engines.errors import EngineError, EngineLost, OutOfDeviceMemory, first_line
from engines.manifest import Manifest

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """An engine that stands in line."""

    name: str
    open: Callable[[], Engine]
    """Any error it raises is the reason why it cannot be had; called at most once."""


class LineCache:
    """A session's cache in the engine that serves it now."""

    def __init__(self, place: int, inner: LatentCache, line: EngineLine) -> None:
        self.place, self.inner, self.line = place, inner, line

    def forget(self) -> None:
        """See `LatentCache`."""
        self.inner.forget()

    def shift(self, right: int, down: int) -> bool:
        """See `LatentCache`."""
        return self.inner.shift(right, down)

    def adopt(self, other: LatentCache) -> bool:
        """See `LatentCache`."""
        return self.inner.adopt(other.inner if isinstance(other, LineCache) else other)


class EngineLine:
    """The first engine that works; see `Engine`. A session that changes engines starts from nothing there."""

    def __init__(self, first: Engine, others: Sequence[Place]) -> None:
        """Put `first`, which is open, in front of others, which are opened only when it is their turn."""
        self.manifest: Manifest = first.manifest
        self._engines = [first]
        self._others = list(others)
        self._order = [first.name, *(other.name for other in others)]
        self._place = 0
        self._lock = threading.Lock()
        self.lost: dict[str, str] = {}
        """Name of each engine that was lost or could not be opened, and why"""
        self._full: dict[str, str] = {}

    @property
    def name(self) -> str:
        """Of the engine that serves new sessions."""
        # When all are lost, the last.
        return self._engines[min(self._place, len(self._engines) - 1)].name

    @property
    def rank(self) -> int:
        """How far down the line that engine stands; 0 for the first."""
        return self._order.index(self.name)

    @property
    def passed(self) -> dict[str, str]:
        """Name of each engine before that one to the reason why it serves nobody new."""
        before = self._order[: self.rank]
        return {name: why for name, why in list(self.lost.items()) if name in before}

    def new_cache(self) -> LineCache:
        """Return a cache that remembers nothing; EngineError where no engine is left."""
        return self._cache_from(self._place)

    def step(self, inputs: StepInputs, cache: LatentCache) -> StepOutputs:
        """Restore one crop; see `Engine.step`."""
        if not isinstance(cache, LineCache) or cache.line is not self:
            raise EngineError("this latent cache was made by another engine")
        while True:
            if cache.place < self._place:
                self._change(cache, self._place)
            try:
                return self._engines[cache.place].step(inputs, cache.inner)
            except EngineLost as error:
                self._give_up(cache.place, error)
                self._change(cache, cache.place + 1)

    def _change(self, cache: LineCache, place: int) -> None:
        other = self._cache_from(place)
        cache.place, cache.inner = other.place, other.inner

    def _cache_from(self, place: int) -> LineCache:
        """A cache in the first engine from `place` on that has room for it."""
        while True:
            place = self._opened_from(place)
            try:
                return LineCache(place, self._engines[place].new_cache(), self)
            except EngineLost as error:
                self._give_up(place, error)
                place += 1

    def _give_up(self, place: int, error: EngineLost) -> None:
        """Nobody is sent to this engine any more, unless it is only full: then who is in it stays."""
        with self._lock:
            name, full = self._engines[place].name, isinstance(error, OutOfDeviceMemory)
            noted = self._full if full else self.lost
            if name not in noted:
                log.warning("engine %s: %s", name, error)
            noted[name] = str(error)
            if not full:
                self._place = max(self._place, place + 1)

    def _opened_from(self, place: int) -> int:
        """Open the next engine in line that can be opened; EngineError when there is none."""
        with self._lock:
            place = max(place, self._place)
            while place >= len(self._engines):
                if not self._others:
                    reasons = "; ".join(f"{name}: {why}" for name, why in (self._full | self.lost).items())
                    raise EngineError(f"no engine is left ({reasons})")
                self._open(self._others.pop(0))
            return place

    def _open(self, other: Place) -> None:
        try:
            self._engines.append(other.open())
            log.warning("engine %s takes over", other.name)
        except Exception as error:  # a library may raise anything, and the next may still work
            log.warning("engine %s cannot take over: %s", other.name, first_line(error))
            self.lost[other.name] = first_line(error)
