"""The returned track."""

from __future__ import annotations

import asyncio

import av
import pytest
from aiortc.mediastreams import MediaStreamError

from stream.relay.tracks import FilteredTrack


def _frame(pts: int) -> av.VideoFrame:
    frame = av.VideoFrame(16, 16, "yuv420p")
    frame.pts = pts
    return frame


def test_frames_come_out_with_their_own_time_stamps_and_only_once() -> None:
    async def run() -> None:
        slot: list[av.VideoFrame] = [_frame(7)]
        track = FilteredTrack(lambda: slot.pop() if slot else None)
        assert (await track.recv()).pts == 7
        waiting = asyncio.ensure_future(track.recv())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        track.wake()  # Nothing there: it goes on waiting.
        await asyncio.sleep(0.01)
        assert not waiting.done()
        slot.append(_frame(9))
        track.wake()
        assert (await waiting).pts == 9
        assert track.sent == 2

    asyncio.run(run())


def test_stopping_ends_whoever_waits() -> None:
    async def run() -> None:
        track = FilteredTrack(lambda: None)
        waiting = asyncio.ensure_future(track.recv())
        await asyncio.sleep(0.01)
        track.stop()
        with pytest.raises(MediaStreamError):
            await waiting
        with pytest.raises(MediaStreamError):
            await track.recv()

    asyncio.run(run())
