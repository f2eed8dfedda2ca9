"""Keeps the camera open while it is wanted, in a thread of its own, and opens it again when it comes back."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

import av

from engines.errors import ClearcallError

RETRY_S = 1.0
"""Between two attempts at a camera that is gone."""
FPS_OVER = 60
"""Frames that the camera's rate is told of."""
CLOSE_TIMEOUT_S = 2.0
"""A driver that hangs must not keep the program from ending."""

log = logging.getLogger(__name__)


class Capture:
    """`want(True)` opens the camera, `want(False)` closes it; one thread, the caller's, may call."""

    def __init__(
        self,
        frames: Callable[[], Iterator[av.VideoFrame]],
        deliver: Callable[[av.VideoFrame], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`frames()` opens the source and yields; `deliver` takes each frame, in the capture's thread."""
        self._frames = frames
        self._deliver = deliver
        self._clock = clock
        self._times: deque[float] = deque(maxlen=FPS_OVER)
        self._looks: tuple[int, int, str] | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.trouble: str | None = None
        """Why no frames come, if that is known."""
        self.opened = 0
        """How many times the source was opened."""
        self.frames = 0
        """Frames that came, in all."""

    @property
    def running(self) -> bool:
        """Whether the camera is open, or tried."""
        return self._thread is not None

    def delivers(self) -> dict[str, object] | None:
        """What really comes, whatever mode was asked for; None while nothing does. From any thread."""
        looks, times = self._looks, list(self._times)
        if looks is None or not self.running or self.trouble:
            return None
        # The first ones of a camera that was just opened come in a burst.
        span = times[-1] - times[0] if len(times) >= FPS_OVER // 4 else 0.0
        fps = round((len(times) - 1) / span, 1) if span > 0 else 0.0
        return {"width": looks[0], "height": looks[1], "format": looks[2], "fps": fps}

    def want(self, wanted: bool) -> None:
        """Open the camera or close it; nothing happens where it is so already."""
        if wanted and self._thread is None:
            self._stop = threading.Event()
            self._thread = threading.Thread(target=self._run, args=(self._stop,), name="clearcall-camera", daemon=True)
            self._thread.start()
        elif not wanted and self._thread is not None:
            self._stop.set()
            self._thread.join(CLOSE_TIMEOUT_S)
            if self._thread.is_alive():
                log.warning("the camera's driver does not answer")
            self._thread = None
            self.trouble = None
            self._looks = None

    def _run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self._read(stop)
            except ClearcallError as error:
                self._complain(str(error))
            except Exception as error:  # whatever a driver comes up with: the card is shown and it is tried again
                log.exception("the camera failed")
                self._complain(f"the camera failed: {error}")
            stop.wait(RETRY_S)

    def _read(self, stop: threading.Event) -> None:
        frames = self._frames()
        self.opened += 1
        self._times.clear()
        try:
            for frame in frames:
                if stop.is_set():
                    return
                self.trouble = None
                self.frames += 1
                self._times.append(self._clock())
                self._looks = frame.width, frame.height, frame.format.name
                self._deliver(frame)
        finally:
            # Closes the device now, and not when the generator happens to be collected.
            getattr(frames, "close", lambda: None)()

    def _complain(self, text: str) -> None:
        if self.trouble != text:
            log.warning("%s; trying again", text)
        self.trouble = text
