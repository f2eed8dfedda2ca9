"""Stand-ins and helpers for the relay's tests."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import av
import numpy as np
import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiortc import MediaStreamTrack, RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from engines.errors import BadInput
from stream.live import Done
from stream.models import Model
from stream.relay import aiortc_tuning, server
from stream.relay.settings import RelaySettings
from stream.tiles.restorer import TileRestorer

PROMPTS = ("noise", "blur")
OFFER = {"Content-Type": "application/sdp"}


@dataclass
class FakeModel:
    """What the relay asks of a model."""

    name: str = "tiny"
    prompts: tuple[str, ...] = PROMPTS
    engine: str = "fake"
    refused: dict[str, str] = field(default_factory=lambda: {"better": 'no "device"'})


class FakeFilter:
    """A face filter that returns its frames, and counts how many filters are open."""

    open = 0

    def __init__(
        self,
        model: Model,
        prompt: str = "auto",
        strength: float = 1.0,
        budget_s: float | None = None,
        tiles: TileRestorer | None = None,
    ) -> None:
        self.set_prompt(prompt)
        self.strength = strength
        self._closed = False
        FakeFilter.open += 1

    def set_prompt(self, text: str) -> None:
        if text not in ("auto", *PROMPTS):
            raise BadInput(f"unknown prompt {text!r}; known: auto, {', '.join(PROMPTS)}")
        self.prompt = text

    def set_strength(self, value: float) -> None:
        self.strength = value

    def process(self, frame: av.VideoFrame) -> av.VideoFrame:
        return frame

    def took(self, done: Done) -> None:
        pass

    def figures(self) -> dict[str, object]:
        return {"faces": 1}

    def close(self) -> None:
        FakeFilter.open -= not self._closed
        self._closed = True


@contextlib.asynccontextmanager
async def relay(
    monkeypatch: pytest.MonkeyPatch, settings: RelaySettings | None = None
) -> AsyncIterator[tuple[server.Relay, TestClient]]:  # type: ignore[type-arg]
    """A relay in this process, with the fakes in it, and a client for it."""
    monkeypatch.setattr(server, "FaceFilter", FakeFilter)
    FakeFilter.open = 0
    aiortc_tuning.tune()
    made = server.Relay(settings or RelaySettings(max_sessions=2), cast(Model, FakeModel()))
    async with TestClient(TestServer(made.app())) as client:
        yield made, client


class Ramp(VideoStreamTrack):
    """A small moving picture at 30 frames a second."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    async def recv(self) -> av.VideoFrame:
        pts, time_base = await self.next_timestamp()
        picture = np.full((180, 160), (self._count * 8) % 200, np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts, frame.time_base = pts, time_base
        self._count += 1
        return frame


class Caller:
    """An aiortc client of the relay."""

    def __init__(
        self,
        client: TestClient,  # type: ignore[type-arg]
        audio: bool = False,
        tracks: Sequence[MediaStreamTrack] | None = None,
    ) -> None:
        self.http = client
        self.pc = RTCPeerConnection(RTCConfiguration([]))
        self.channel: RTCDataChannel = self.pc.createDataChannel("clearcall")
        self.messages: asyncio.Queue[str] = asyncio.Queue()
        self.tracks: dict[str, MediaStreamTrack] = {}
        self.location = ""
        for track in tracks or (Ramp(), *([AudioStreamTrack()] if audio else [])):
            self.pc.addTrack(track)
        self.channel.on("message", self.messages.put_nowait)
        self.pc.on("track", lambda track: self.tracks.update({track.kind: track}))

    async def offer(self) -> str:
        """An offer with all candidates in it."""
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def call(self, query: str = "") -> None:
        """Call the relay."""
        answer = await self.http.post(f"/call{query}", data=await self.offer(), headers=OFFER)
        assert answer.status == 201, await answer.text()
        self.location = answer.headers["Location"]
        await self.pc.setRemoteDescription(RTCSessionDescription(await answer.text(), "answer"))

    async def frames(self, count: int, kind: str = "video") -> list[int]:
        """The time stamps of the next frames that come back."""
        async with asyncio.timeout(30):
            return [(await self.tracks[kind].recv()).pts or 0 for _ in range(count)]

    async def message(self, key: str) -> dict[str, object]:
        """The content of the next message of a kind."""
        async with asyncio.timeout(30):
            while True:
                message = json.loads(await self.messages.get())
                if key in message:
                    return message if key in ("error", "ended") else cast(dict[str, object], message[key])

    async def close(self) -> None:
        """Hang up without telling the relay over HTTP."""
        await self.pc.close()


async def until(condition: object, seconds: float = 20.0) -> None:
    """Wait until `condition()` holds."""
    assert callable(condition)
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)
