"""The track that a call gets back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError


class FilteredTrack(MediaStreamTrack):
    """Hands out the newest filtered frame, once each; time stamps are the source's own.

    All methods run on the event loop's thread.
    """

    kind = "video"

    def __init__(self, pull: Callable[[], av.VideoFrame | None], on_sent: Callable[[], object] = lambda: None) -> None:
        """Take frames from `pull`; `on_sent()` is called when the last one is encoded and on its way."""
        super().__init__()
        self._pull = pull
        self._on_sent = on_sent
        self._ready = asyncio.Event()
        self.sent = 0
        """Frames handed to the encoder."""

    def wake(self) -> None:
        """Say that a frame may be there."""
        self._ready.set()

    async def recv(self) -> av.VideoFrame:
        """Wait for the next frame; MediaStreamError once the track has ended."""
        if self.sent:
            # The sender comes back for more when it is done with the last one.
            self._on_sent()
        while self.readyState == "live":
            # Cleared before the look: a wake that comes in between is kept.
            self._ready.clear()
            frame = self._pull()
            if frame is not None:
                self.sent += 1
                return frame
            await self._ready.wait()
        raise MediaStreamError

    def stop(self) -> None:
        """End the track and whoever waits for a frame."""
        super().stop()
        self._ready.set()
