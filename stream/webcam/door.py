"""The webcam's loop: who looks, is the camera open, which picture goes out and when."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import av

from engines.errors import ClearcallError
from stream.webcam.capture import Capture
from stream.webcam.card import card
from stream.webcam.errors import OutputClosed, OutputLost
from stream.webcam.output import Output, Picture, Shape
from stream.webcam.pace import Pacer
from stream.webcam.picture import render
from stream.webcam.presence import Presence
from stream.webcam.wake import Wake

IDLE_WAIT_S = 1.0
"""Between two looks while nobody reads; what changes wakes us sooner."""
ASK_WAIT_S = 0.25
"""The same for an output that has to be asked whether somebody reads."""
CARD_AFTER_S = 1.0
"""Without a new frame for so long the card is shown instead of the last picture."""
REOPEN_S = 1.0


class Pipe(Protocol):
    """Frames in, frames out: the filter in its thread."""

    def push(self, frame: av.VideoFrame) -> None:
        """Leave a frame."""

    def pull(self) -> av.VideoFrame | None:
        """The newest that came out and was not pulled yet."""

    def figures(self) -> dict[str, object]:
        """What is known."""


class Door:
    """One thread calls `run`, or `turn` again and again; `stop` may come from any, and `wake` is set for each frame."""

    def __init__(
        self,
        open_output: Callable[[], Output],
        capture: Capture,
        pipe: Pipe,
        shape: Shape,
        mirror: bool,
        wake: Wake,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the output; ClearcallError where that fails."""
        self._open_output = open_output
        self._output: Output | None = open_output()
        self._capture, self._pipe = capture, pipe
        self._shape, self._mirror = shape, mirror
        self._wake = wake
        self._clock = clock
        self._presence = Presence()
        self._pacer = Pacer(shape.interval)
        self._fresh: tuple[Picture, float] | None = None
        self._last: tuple[Picture, float] | None = None
        self._card_at: float | None = None
        self._lost: tuple[str, float] | None = None
        self._stopped = False
        self._reader = False
        self.dropped = 0
        """Pictures that the virtual camera could not take."""

    def stop(self) -> None:
        """End `run`; also from a signal handler."""
        self._stopped = True
        self._wake.set()

    def run(self, on_turn: Callable[[float], object] = lambda now: None) -> None:
        """Serve until `stop`; `on_turn(now)` is called each time round. The virtual camera is gone afterwards."""
        try:
            while not self._stopped:
                seconds = self.turn()
                on_turn(self._clock())
                self._wake.wait(seconds)
        finally:
            self._capture.want(False)
            if self._output is not None:
                self._output.close()

    def turn(self) -> float:
        """Do what is due; returns the seconds until there may be something again."""
        now = self._clock()
        try:
            return self._serve(now)
        except OutputClosed:
            self._stopped = True
            return 0.0
        except OutputLost as error:
            self._lost = str(error), now
            if self._output is not None:
                self._output.close()
            self._output = None
            self._reader = False
            return REOPEN_S

    def _serve(self, now: float) -> float:
        output = self._live_output(now)
        self._reader = output is not None and output.has_reader()
        self._capture.want(self._presence.wanted(self._reader, now))
        if output is None:
            return REOPEN_S
        if not self._reader:
            return self._idle(output, now)
        self._take(now)
        wait = self._pacer.wait(now, self._fresh is not None)
        if wait == 0.0:
            self._send(output, now)
            wait = self._pacer.wait(now, self._fresh is not None)
        return wait

    def _live_output(self, now: float) -> Output | None:
        if self._output is None and self._lost is not None and now - self._lost[1] >= REOPEN_S:
            try:
                self._output = self._open_output()
                self._lost = None
            except ClearcallError as error:
                self._lost = str(error), now
        return self._output

    def _idle(self, output: Output, now: float) -> float:
        self._pacer.reset()
        self._pipe.pull()
        self._fresh = self._last = None
        if output.idle_interval is None:
            return IDLE_WAIT_S
        if self._card_at is None or now - self._card_at >= output.idle_interval:
            output.send(card(self._shape, "nobody is looking"))
            self._card_at = now
        return ASK_WAIT_S

    def _take(self, now: float) -> None:
        """Fetch the newest frame and make its picture ready."""
        frame = self._pipe.pull()
        if frame is not None:
            self._fresh = render(frame, self._shape, self._mirror), now

    def _send(self, output: Output, now: float) -> None:
        arrived = None
        if self._fresh is not None:
            picture, arrived = self._last = self._fresh
            self._fresh = None
        elif self._last is not None and now - self._last[1] < CARD_AFTER_S:
            picture = self._last[0]
        else:
            picture = card(self._shape, self._capture.trouble or "the camera starts")
        self.dropped += not output.send(picture)
        self._pacer.sent(now, arrived)

    def figures(self) -> dict[str, object]:
        """What is known; from any thread."""
        output, lost = self._output, self._lost
        return {
            "output": output.name if output else None,
            "trouble": (lost[0] if lost else None) or self._capture.trouble,
            "reader": self._reader,
            "camera_open": self._capture.running,
            "camera_frames": self._capture.frames,
            "camera": self._capture.delivers(),
            "sent": dict(self._pacer.counts),
            "not_taken": self.dropped,
            "filter": self._pipe.figures(),
        }
