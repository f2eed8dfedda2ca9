"""The sender's process: holds the call, replays the clip at a fixed rate, hands on what comes back.

Run by the harness as `python -m benchmarks.latency.sender`. Standard input: a line with the `Order` as JSON, later one
with the time to end at. Standard output: `{"picture": true}` once the first frame is back, or `{"error": …}`.
Told to end early (SIGTERM), it hangs up, so that the relay has room for the next caller.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from benchmarks.latency import clip, handover
from benchmarks.latency.signalling import Link, Target, link
from engines.errors import ClearcallError
from stream.relay import aiortc_tuning

CLOCK = 90_000
"""Ticks a second of video over RTP."""
RESTART_S = 1.0
"""The clip starts over for a relay that asks for a key frame, but not more often than this."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a sender is to do."""

    clip: str
    codec: str
    fps: int
    target: Target
    query: str
    pipe: int
    """File descriptor that the returned frames go to."""
    log: str

    def line(self) -> str:
        """As it goes to the process."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def parse(cls, line: str) -> Order:
        """From what `line` made."""
        value = json.loads(line)
        return cls(**{**value, "target": Target(**value["target"])})


class Replay(MediaStreamTrack):
    """Hands out the clip's encoded frames for ever, each at its time; one that is late goes at once."""

    kind = "video"

    def __init__(self, frames: list[bytes], fps: int) -> None:
        super().__init__()
        self._frames, self._fps = frames, fps
        self._start: float | None = None
        self._place = self._restarted = 0
        self._restart = False
        self.sent: list[tuple[int, float, float]] = []
        """Stamp, when the frame was due and when it left, in seconds."""

    async def recv(self) -> av.Packet[Any]:
        """Wait for the next frame's time."""
        count = len(self.sent)
        if self._start is None:
            self._start = time.monotonic()
        due = self._start + count / self._fps
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        if self._restart and count - self._restarted >= RESTART_S * self._fps:
            self._place, self._restarted, self._restart = 0, count, False
        packet = av.Packet(self._frames[self._place])
        packet.pts, packet.time_base = round(count * CLOCK / self._fps), Fraction(1, CLOCK)
        self.sent.append((self._place, due, time.monotonic()))
        self._place = (self._place + 1) % len(self._frames)
        return packet

    def restart(self) -> None:
        """Go back to the clip's key frame soon."""
        self._restart = True


async def send(order: Order, until: Callable[[], Awaitable[float]]) -> dict[str, object]:
    """Call, replay until told to stop; gives the log.

    `until()` waits for when that is, and gives the time.

    Frames that the receiver has not taken off the pipe by then are lost to it, as they would be to a caller.

    Raises:
        ClearcallError: No call came about, or the relay ended it.
    """
    track = Replay(clip.read(Path(order.clip)), order.fps)
    loop = asyncio.get_running_loop()
    pipe, _ = await loop.connect_write_pipe(asyncio.Protocol, os.fdopen(order.pipe, "wb"))
    gc.freeze()
    began = time.monotonic()
    async with link(order.target, order.query, order.codec, track) as made:
        aiortc_tuning.on_key_frame_wanted(made.connections[0], track.restart)
        forwarding = asyncio.ensure_future(_forward(made, pipe))
        try:
            await asyncio.sleep(await until() - time.monotonic())
        finally:
            forwarding.cancel()
        (ended,) = await asyncio.gather(forwarding, return_exceptions=True)
        if isinstance(ended, ClearcallError):
            raise ended
    return {"began": began, "sent": track.sent, "told": made.told}


async def _forward(made: Link, pipe: asyncio.WriteTransport) -> None:
    first = True
    while True:
        try:
            packet = await made.returned.recv()
        except MediaStreamError:
            raise ClearcallError("the relay ended the call") from None
        assert isinstance(packet, av.Packet)
        pipe.write(handover.pack(time.monotonic(), bytes(packet)))
        if first:
            _say({"picture": True})
            first = False


def _say(message: dict[str, object]) -> None:
    print(json.dumps(message), flush=True)


async def _obey() -> int:
    loop, lines = asyncio.get_running_loop(), asyncio.StreamReader()
    # Not by a thread: it could not be told to stop waiting.
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)

    async def until() -> float:
        return float(await lines.readline() or 0)

    order = Order.parse((await lines.readline()).decode())
    task = asyncio.ensure_future(send(order, until))
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        log = await task
    except ClearcallError as error:
        _say({"error": str(error)})
        return 1
    except asyncio.CancelledError:
        return 1
    Path(order.log).write_text(json.dumps(log), encoding="utf-8")
    return 0


def main() -> int:
    """Do what standard input says; returns the exit status."""
    aiortc_tuning.tune()
    aiortc_tuning.leave_encoded()
    return asyncio.run(_obey())


if __name__ == "__main__":
    sys.exit(main())
