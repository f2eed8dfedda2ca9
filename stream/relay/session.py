"""One call: a peer connection, its picture through the filter, its sound straight back, its data channel."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
import time
from collections.abc import Callable, Coroutine

from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from engines.errors import BadInput
from stream.filter import FaceFilter
from stream.live import LiveFilter
from stream.models import Model
from stream.relay.aiortc_tuning import decoder_queues, encoder_watch, undecoded, with_start_bitrate
from stream.relay.control import read_change
from stream.relay.sdp import MAX_CANDIDATES, Fragment, Offer
from stream.relay.stage_times import figures as stage_figures
from stream.relay.tracks import FilteredTrack
from stream.timing import Histogram

CHANNEL = "clearcall"
FIGURES_INTERVAL_S = 0.5
CHANNEL_BACKLOG = 64 * 1024
"""Bytes that may wait on the data channel; what would come on top is left out."""
CLOSE_TIMEOUT_S = 5.0
TELL_TIMEOUT_S = 1.0
"""For the caller to hear why the call ends; its place stays taken meanwhile."""

_ENDED = {"failed": "the connection failed", "closed": "the caller hung up"}

log = logging.getLogger(__name__)


class Session:
    """A call from its offer to its end; all methods run on the event loop."""

    def __init__(
        self,
        number: int,
        model: Model,
        face_filter: FaceFilter,
        stun: str | None,
        on_end: Callable[[str], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take over the filter; `on_end(reason)` is called when the call ends by itself, and must close the session."""
        self.id = secrets.token_urlsafe(16)
        self.number = number
        self.last_media = clock()
        """When the last picture came, on the clock given; at first, when the call began."""
        self.received = 0
        """Frames that came and were decoded."""
        self._model = model
        self._filter = face_filter
        self._on_end = on_end
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._live = LiveFilter(face_filter, self._on_output, on_done=face_filter.took)
        self.track = FilteredTrack(self._live.pull, self._on_sent)
        self._sending = Histogram()
        servers = [RTCIceServer(stun)] if stun else []
        # An empty list, not None: aiortc would ask a public STUN server otherwise.
        self._pc = RTCPeerConnection(RTCConfiguration(servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self._channel: RTCDataChannel | None = None
        self._candidates = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: asyncio.Future[None] | None = None
        self._audio_returns = False
        self._pc.on("track", self._on_track)
        self._pc.on("datachannel", self._on_channel)
        self._pc.on("connectionstatechange", self._on_state)

    async def answer(self, offer: Offer) -> str:
        """Negotiate; the SDP answer with the relay's own candidates.

        Raises:
            BadInput: The offer cannot be met.
        """
        self._candidates = offer.candidates
        self._audio_returns = offer.audio_returns
        try:
            await self._pc.setRemoteDescription(RTCSessionDescription(offer.text, "offer"))
            await self._pc.setLocalDescription(await self._pc.createAnswer())
        except (ValueError, OperationError, InvalidAccessError, InvalidStateError) as error:
            raise BadInput("the SDP offer cannot be answered") from error
        return with_start_bitrate(self._pc.localDescription.sdp)

    async def add_candidates(self, fragment: Fragment) -> None:
        """Take trickled candidates.

        Raises:
            BadInput: The caller sent too many.
        """
        self._candidates += len(fragment.candidates)
        if self._candidates > MAX_CANDIDATES:
            raise BadInput(f"a call may send {MAX_CANDIDATES} candidates, not more")
        for candidate in fragment.candidates:
            # In a task of its own: resolving an mDNS name takes up to a second.
            self._spawn(self._add_candidate(candidate))
        if fragment.end:
            self._spawn(self._add_candidate(None))

    async def _add_candidate(self, candidate: object) -> None:
        try:
            await self._pc.addIceCandidate(candidate)  # type: ignore[arg-type]
        except ValueError as error:
            log.info("call %d: a candidate was left out (%s)", self.number, type(error).__name__)

    def figures(self) -> dict[str, object]:
        """What the caller is shown: the filter's own figures, and the call's."""
        live, late = self._live.figures(), undecoded(self._pc)
        dropped, stages = live["dropped"], live.get("stages", {})
        assert isinstance(dropped, dict) and isinstance(stages, dict)
        call = {"received": self.received + late, "sent": self.track.sent, **self._running()}
        return {**live, "dropped": {"decoder_busy": late, **dropped}, "stages": self._stages(stages), "call": call}

    def _stages(self, filtering: dict[str, object]) -> dict[str, object]:
        """Times of all stages in the order of a frame's way, given the filter's own."""
        before = {}
        for queue in decoder_queues(self._pc):
            before = {"jitter buffer": queue.gathering, "decode": queue.decoding.times}
        watch = encoder_watch(self._pc)
        after = {} if watch is None else {"encode": watch.times, "send": self._sending}
        return {**stage_figures(before), **filtering, **stage_figures(after)}

    async def close(self, reason: str = "") -> None:
        """Tell the caller the reason, if there is one, end the call and free everything; later calls wait for it."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close(reason))
        await asyncio.shield(self._closing)

    async def _close(self, reason: str) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                if reason:
                    await self._tell_end(reason)
                await self._pc.close()
        except TimeoutError:
            log.warning("call %d: the connection did not close in time", self.number)
        finally:
            self.track.stop()
            await self._loop.run_in_executor(None, self._live.close)
            await self._loop.run_in_executor(None, self._filter.close)

    async def _tell_end(self, reason: str) -> None:
        channel = self._channel
        if channel is None or channel.readyState != "open" or self._pc.connectionState != "connected":
            return
        closed = asyncio.Event()
        channel.on("close", closed.set)
        self._send({"ended": reason})
        # The caller closes its side of the channel once it has all that was sent on it: the connection's end would
        # overtake the message.
        channel.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TELL_TIMEOUT_S):
                await closed.wait()

    def _on_output(self) -> None:
        # From the filter's thread.
        self._loop.call_soon_threadsafe(self.track.wake)

    def _on_sent(self) -> None:
        watch = encoder_watch(self._pc)
        if watch is not None and watch.ended is not None:
            self._sending.add(time.monotonic() - watch.ended)

    def _on_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "video":
            self._pc.addTrack(self.track)
            self._spawn(self._pump(track))
        elif self._audio_returns:
            self._pc.addTrack(track)
        else:
            self._spawn(self._drain(track))

    async def _pump(self, track: MediaStreamTrack) -> None:
        # Always ready for the next frame, so nothing queues in aiortc.
        try:
            while True:
                frame = await track.recv()
                assert isinstance(frame, VideoFrame)
                self.received += 1
                self.last_media = self._clock()
                for queue in decoder_queues(self._pc):
                    queue.decoding.leave(frame.pts)
                self._live.push(frame)
        except MediaStreamError:
            self._on_end("the caller's picture ended")

    async def _drain(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                await track.recv()
        except MediaStreamError:
            return

    def _on_state(self) -> None:
        state = self._pc.connectionState
        if state == "connected":
            log.info("call %d: connected", self.number)
        elif state in _ENDED and self._closing is None:
            self._on_end(_ENDED[state])

    def _on_channel(self, channel: RTCDataChannel) -> None:
        if channel.label != CHANNEL or self._channel is not None:
            channel.close()
            return
        self._channel = channel
        channel.on("message", self._on_message)
        self._send(self._settings())
        self._spawn(self._send_figures())

    def _on_message(self, message: str | bytes) -> None:
        try:
            change = read_change(message)
            # The prompt first: only it can still be refused, and then nothing has changed.
            if change.prompt is not None:
                self._filter.set_prompt(change.prompt)
            if change.strength is not None:
                self._filter.set_strength(change.strength)
        except BadInput as error:
            self._send({"error": str(error)})
        else:
            self._send(self._settings())

    def _settings(self) -> dict[str, object]:
        return {
            "settings": {
                **self._running(),
                "prompts": list(self._model.prompts),
                "prompt": self._filter.prompt,
                "strength": self._filter.strength,
            }
        }

    def _running(self) -> dict[str, object]:
        """The model and what runs it, which may change in a call."""
        model = self._model
        return {"model": model.name, "engine": model.engine, "engines_refused": model.refused}

    async def _send_figures(self) -> None:
        while True:
            self._send({"figures": self.figures()})
            await asyncio.sleep(FIGURES_INTERVAL_S)

    def _send(self, message: dict[str, object]) -> None:
        channel = self._channel
        if channel is None or channel.readyState != "open" or channel.bufferedAmount > CHANNEL_BACKLOG:
            return
        channel.send(json.dumps(message))

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("call %d: %s", self.number, type(error).__name__, exc_info=error)
            self._on_end("an error in the relay")
