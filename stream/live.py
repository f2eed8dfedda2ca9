"""The filter in its own thread, a latest-frame slot on each side: a live call never queues."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import av

from stream.frames.slot import LatestSlot
from stream.timing import Histogram

PATIENCE_S = 0.5
"""A frame in the filter for longer than this has stalled it: newer ones go past it, as they came."""
RECENT = 300
"""Frames that the added delay is told of, one to two times as many."""
FPS_OVER = 60
"""Frames that the rate is told of."""
CLOSE_TIMEOUT_S = 5.0
"""A filter stalled for good must not hold up the end of the call; its thread ends with the process."""

log = logging.getLogger(__name__)


class Filter(Protocol):
    """What is run."""

    def process(self, frame: av.VideoFrame) -> av.VideoFrame:
        """One frame to another, or to itself."""

    def figures(self) -> dict[str, object]:
        """What is known of it."""


def is_stalled(began: float | None, now: float) -> bool:
    """Whether the filter, which began its frame at `began` seconds (None: it has none), takes too long over it."""
    return began is not None and now - began > PATIENCE_S


@dataclass(frozen=True, slots=True)
class Done:
    """What a frame took; seconds."""

    waited: float
    """For the frame before"""
    taken: float
    """By the filter"""
    since: float = 0.0
    """Since the last frame that was filtered had come; 0 for the first"""
    missed: int = 0
    """Frames that came in between, and found no room"""


@dataclass(slots=True)
class _Waiting:
    """A frame on its way."""

    frame: av.VideoFrame
    order: int
    """Counts pushes from 1 on."""
    pushed_at: float


class LiveFilter:
    """Frames in by `push`, out by `pull`, from any threads; what cannot be kept up with is dropped and counted."""

    def __init__(
        self,
        run: Filter,
        on_output: Callable[[], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
        on_done: Callable[[Done], object] = lambda done: None,
    ) -> None:
        """Start the thread.

        Args:
            run: What is run.
            on_output: Called, from the thread or from `push`, whenever a frame can be pulled.
            clock: Seconds.
            on_done: Called from the thread, once a frame is out.
        """
        self._filter = run
        self._on_output = on_output
        self._on_done = on_done
        self._clock = clock
        self._input: LatestSlot[_Waiting] = LatestSlot()
        self._output: LatestSlot[av.VideoFrame] = LatestSlot()
        self._lock = threading.Lock()
        self._pushed = self._newest_out = self._overtaken = self._bypassed = 0
        self._began: float | None = None
        self._added = Histogram(RECENT)
        self._times: deque[float] = deque(maxlen=FPS_OVER)
        self._thread = threading.Thread(target=self._run, name="clearcall-filter", daemon=True)
        self._thread.start()

    def push(self, frame: av.VideoFrame) -> None:
        """Leave a frame for the filter, in the place of one that still waits.

        Past a stalled filter it goes straight out.
        """
        now = self._clock()
        with self._lock:
            self._pushed += 1
            item = _Waiting(frame, self._pushed, now)
            stalled = is_stalled(self._began, now)
            self._bypassed += stalled
            if not stalled:
                # Within the lock, so that of two threads the newer frame stays in the slot.
                self._input.put(item)
        if stalled:
            self._emit(item, frame)

    def pull(self) -> av.VideoFrame | None:
        """The newest frame that was not pulled yet, if there is one."""
        return self._output.take()

    def _run(self) -> None:
        order, pushed_at = 0, None
        while (item := self._input.wait()) is not None:
            began = self._clock()
            with self._lock:
                self._began = began
            try:
                out = self._filter.process(item.frame)
            except Exception:  # fail open, whatever filter this is
                log.exception("the filter failed on a frame")
                out = item.frame
            ended = self._clock()
            with self._lock:
                self._began = None
            self._emit(item, out)
            since = 0.0 if pushed_at is None else item.pushed_at - pushed_at
            missed, order, pushed_at = item.order - order - 1, item.order, item.pushed_at
            self._on_done(Done(began - item.pushed_at, ended - began, since, missed))

    def _emit(self, item: _Waiting, out: av.VideoFrame) -> None:
        now = self._clock()
        with self._lock:
            if item.order < self._newest_out:
                self._overtaken += 1
                return
            self._newest_out = item.order
            self._added.add(now - item.pushed_at)
            self._times.append(now)
            kept = self._output.put(out)
        if kept and self._on_output is not None:
            try:
                self._on_output()
            except Exception:  # it must not end the thread, and with it the picture
                log.exception("the filter's output was not announced")

    def figures(self) -> dict[str, object]:
        """The filter's own figures, and fps, added delay and drops; also once closed."""
        with self._lock:
            times = list(self._times)
            added = {"median": round(self._added.quantile_ms(0.5), 2), "p95": round(self._added.quantile_ms(0.95), 2)}
            overtaken, bypassed = self._overtaken, self._bypassed
        span = times[-1] - times[0] if len(times) > 1 else 0.0
        dropped = {"filter_busy": self._input.dropped, "not_fetched": self._output.dropped, "overtaken": overtaken}
        return {
            **self._filter.figures(),
            "fps": round((len(times) - 1) / span, 1) if span > 0 else 0.0,
            "added_ms": added,
            "dropped": dropped,
            "bypassed": bypassed,
        }

    def close(self) -> None:
        """End the thread, after the frame it is at; frames that wait, or come later, count as dropped.

        Harmless when repeated.
        """
        self._input.close()
        self._thread.join(CLOSE_TIMEOUT_S)
        self._output.close()
