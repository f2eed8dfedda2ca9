"""The caller's sound comes back as it was, and with the picture it belongs to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc import MediaStreamTrack
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from tests.stream.relay.fakes import Caller, relay

RATE = 48_000
CHUNK = RATE // 50
TONE_HZ = 1000
LEVEL = 8000
LIT_S = 0.3
PERIOD_S = 1.0
APART_S = 0.3
"""aiortc keeps sound for 0.08 s at either end, here and in the relay, which no filter was slow enough to match."""

Clock = Callable[[], float]


class Flash(VideoStreamTrack):
    """Dark, but for a flash at the beginning of each second."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    async def recv(self) -> av.VideoFrame:
        pts, time_base = await self.next_timestamp()
        light = 200 if self._clock() % PERIOD_S < LIT_S else 40
        frame = av.VideoFrame.from_ndarray(np.full((180, 160), light, np.uint8), format="yuv420p")
        frame.pts, frame.time_base = pts, time_base
        return frame


class Beep(AudioStreamTrack):
    """Silent, but for a tone while the flash is on."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._count = 0
        self._start = 0.0

    async def recv(self) -> av.AudioFrame:
        self._start = self._start or time.monotonic()
        await asyncio.sleep(max(0.0, self._start + self._count / 50 - time.monotonic()))
        samples = np.arange(CHUNK) + self._count * CHUNK
        wave = LEVEL * np.sin(2 * np.pi * TONE_HZ * samples / RATE) * (self._clock() % PERIOD_S < LIT_S)
        stereo = np.repeat(wave.astype(np.int16), 2)[None]
        frame = av.AudioFrame.from_ndarray(stereo, format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._count * CHUNK, Fraction(1, RATE)
        self._count += 1
        return frame


async def _watch(
    track: MediaStreamTrack, level: Callable[[av.VideoFrame | av.AudioFrame], float], end: float
) -> list[tuple[float, float]]:
    """When each frame came until the time `end`, and its level."""
    seen = []
    while time.monotonic() < end:
        frame = await track.recv()
        assert isinstance(frame, av.VideoFrame | av.AudioFrame)
        seen.append((time.monotonic(), level(frame)))
    return seen


def _light(frame: av.VideoFrame | av.AudioFrame) -> float:
    assert isinstance(frame, av.VideoFrame)
    return float(frame.to_ndarray(format="gray").mean()) / 200


def _loudness(frame: av.VideoFrame | av.AudioFrame) -> float:
    """Of the tone alone, 1 for the level it was sent with."""
    assert isinstance(frame, av.AudioFrame)
    wave = frame.to_ndarray().reshape(-1, 2)[:, 0] / LEVEL
    phase = np.exp(-2j * np.pi * TONE_HZ * np.arange(len(wave)) / RATE)
    return float(2 * abs((wave * phase).mean()))


def _rises(seen: list[tuple[float, float]]) -> list[float]:
    """When it became light, or loud."""
    return [now for (_, low), (now, high) in zip(seen, seen[1:], strict=False) if low < 0.5 <= high]


def test_the_sound_is_the_callers_and_in_time_with_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        start = time.monotonic()

        def clock() -> float:
            return time.monotonic() - start

        async with relay(monkeypatch) as (_, client):
            caller = Caller(client, tracks=[Flash(clock), Beep(clock)])
            await caller.call()
            await caller.frames(3)
            end = time.monotonic() + 5.5
            pictures, sounds = await asyncio.gather(
                _watch(caller.tracks["video"], _light, end), _watch(caller.tracks["audio"], _loudness, end)
            )
            await caller.close()
        flashes, beeps = _rises(pictures), _rises(sounds)
        apart = [min((beep - flash for beep in beeps), key=abs) for flash in flashes[1:-1]]
        assert len(apart) >= 2
        assert abs(float(np.median(apart))) < APART_S, apart
        loud = [level for _, level in sounds]
        assert 0.8 < float(np.quantile(loud, 0.95)) < 1.2
        assert float(np.quantile(loud, 0.4)) < 0.02

    asyncio.run(run())
