"""The loop: every frame of the source through the filter into the sink, every other packet straight across."""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import dataclass, field
from types import FrameType
from typing import Protocol

import av

from engines.errors import BadInput, ClearcallError
from stream.files.ahead import Ahead
from stream.files.compare import side_by_side
from stream.files.progress import Progress
from stream.files.sink import Sink
from stream.files.source import Source
from stream.timing import Histogram


class FrameFilter(Protocol):
    """What the file door needs of the filter."""

    def process(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The frame restored, or the very same frame; never writes into `frame`."""

    def figures(self) -> dict[str, object]:
        """Counts and stage times."""

    def close(self) -> None:
        """Let go of what it holds."""


class Stopped(ClearcallError):
    """The process was asked to end."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.exit_status = 128 + number


class Stop:
    """Between its ends, Ctrl-C and other requests to end are heard, and obeyed when `check` is called.

    So they come between two frames, never in the middle of tidying up. A second Ctrl-C does not wait for that.
    """

    def __init__(self) -> None:
        self._number: int | None = None
        self._obeyed = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):
                number = getattr(signal, name, None)
                # What is ignored stays so: nohup and shells say with it that we are to go on.
                if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._heard)
        return self

    def _heard(self, number: int, frame: FrameType | None) -> None:
        if self._obeyed:
            return
        if self._number is not None:
            self._obeyed = True
            raise KeyboardInterrupt
        self._number = number

    def check(self) -> None:
        """Raise KeyboardInterrupt or Stopped if a request came."""
        if self._number is None or self._obeyed:
            return
        self._obeyed = True
        if self._number == signal.SIGINT:
            raise KeyboardInterrupt
        raise Stopped(self._number)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]


@dataclass(slots=True)
class Counts:
    """What went through."""

    frames: int = 0
    seconds: float = 0.0
    filtering: Histogram = field(default_factory=Histogram)
    """Seconds of each frame in the filter."""
    encoding: Histogram = field(default_factory=Histogram)
    """Seconds of each frame in the sink."""


def filter_file(
    source: Source,
    sink: Sink,
    frame_filter: FrameFilter,
    compare: bool,
    progress: Progress,
    stop: Stop,
) -> Counts:
    """Filter the whole source into the sink and finish it.

    Raises:
        ClearcallError: Reading or writing failed.
        KeyboardInterrupt: Ctrl-C; nothing is kept then.
    """
    counts = Counts()
    clock, right = time.perf_counter, source.facts.display.right
    started = clock()
    copied = tuple(stream for stream in source.others if stream.index in sink.copied)
    with Ahead(source.items(copied)) as items:
        for item in items:
            stop.check()
            if not isinstance(item, av.VideoFrame):
                sink.copy(item)
                continue
            begun = clock()
            restored = frame_filter.process(item)
            restored.duration = item.duration
            filtered = clock()
            sink.write(side_by_side(item, restored, right) if compare else restored)
            counts.filtering.add(filtered - begun)
            counts.encoding.add(clock() - filtered)
            counts.frames += 1
            progress.update(counts.frames)
    if not counts.frames:
        raise BadInput(f"{source.path} holds no frame that can be decoded")
    stop.check()
    sink.finish()
    counts.seconds = clock() - started
    return counts
