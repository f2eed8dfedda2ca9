"""A short run with real processes and real WebRTC: the stamps come back, each in its place."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from yarl import URL

from benchmarks.latency import clip, phase, sessions
from benchmarks.latency.clip import Shape
from benchmarks.latency.limits import parse_limits
from benchmarks.latency.signalling import Target
from engines.errors import ClearcallError
from stream.cli import main
from tests.benchmarks.latency.pictures import film
from tests.stream.relay.fakes import relay

CLIP = 20
"""Frames of a second of film at 10 a second, there and back."""


def _plan(folder: Path, codec: str) -> phase.Plan:
    # At 10 frames a second no machine is too slow.
    shape = Shape(320, 180, 10, codec)
    path = folder / "clip"
    assert clip.prepare(film(folder / "film.mp4"), shape, path) == CLIP
    return phase.Plan(path, codec, shape.fps, 1, 0.2, 1.5, folder)


def _check(found: dict[str, Any], plan: phase.Plan) -> None:
    stamps = [stamp for stamp, _, _ in json.loads((plan.folder / "caller-0.came").read_text())]
    assert len(stamps) > 5 and None not in stamps
    assert all(0 < (later - stamp) % CLIP < CLIP / 2 for stamp, later in pairwise(stamps)), "out of order"
    (caller,) = found["callers"]
    assert 0 < len(caller["delays"]) <= found["sent"] and found["unreadable"] == found["repeated"] == 0
    assert all(delay > 0 for _, delay in caller["delays"])
    assert 0 < found["first_picture_s"] and found["p50"] <= found["p95"] <= found["max"]
    assert set(found["processes"]) == {"sender", "receiver"}


def test_a_call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plan = _plan(tmp_path, "vp8")

    async def run() -> dict[str, Any]:
        async with relay(monkeypatch) as (made, client):
            found = await phase.run(plan, Target(str(client.make_url("/call"))), "strength=0", None)
            assert len(made.table) == 0, "the caller did not hang up"
            return found

    found = asyncio.run(run())
    _check(found, plan)
    assert {"jitter buffer", "decode", "encode", "send"} <= found["callers"][0]["relay"]["stages"].keys()
    assert sessions.first_missed(found, parse_limits("max=60s")) is None
    assert "fps ≥ 11" in str(sessions.first_missed(found, parse_limits("max=60s,fps=11")))
    assert "changed ≥ 95 %: not measured" in str(sessions.first_missed(found, parse_limits("changed=95%")))


def test_the_whole_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {
        "--recording": film(tmp_path / "film.mp4"),
        "--resolution": "320x180",
        **{"--fps": 10, "--seconds": 1, "--warm-up": 0.2, "--repeat": 1, "--budget": "max=60s,fps=11"},
        **{"--json": tmp_path / "run.json", "--html": tmp_path / "run.html"},
    }

    async def run() -> int:
        async with relay(monkeypatch) as (_, client):
            words = [str(word) for pair in options.items() for word in pair]
            target = str(client.make_url("/"))
            return await asyncio.to_thread(main, ["bench", "latency", "--target", target, *words])

    assert asyncio.run(run()) == 1, "10 frames a second are not 11"
    out = capsys.readouterr().out
    assert "missed: fps ≥ 11" in out and "filter on" in out and "filter off" in out
    found = json.loads((tmp_path / "run.json").read_text())
    (repeat,) = found["repeats"]
    assert list(repeat) == ["on", "off"] and all(part["callers"][0]["delays"] for part in repeat.values())
    assert {"decode", "encode"} <= {stage["stage"] for stage in found["stages"]}
    assert (tmp_path / "run.html").read_text().count("<polyline") == 2


class WhipWhep:
    """The smallest server of its kind: one picture in, the same out again."""

    def __init__(self) -> None:
        self.track: MediaStreamTrack | None = None
        self.requests: list[str] = []
        self.pcs: list[RTCPeerConnection] = []

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator[URL]:
        """The server, on a free port; gives its address."""
        app = web.Application()
        app.router.add_post("/in", self._in)
        app.router.add_post("/out", self._out)
        app.router.add_delete("/resource/{name}", self._delete)
        async with TestServer(app) as server:
            yield server.make_url("/")
        for pc in self.pcs:
            await pc.close()

    async def _in(self, request: web.Request) -> web.Response:
        pc = self._new(request)
        pc.on("track", lambda track: setattr(self, "track", track))
        return await self._answer(request, pc, "in")

    async def _out(self, request: web.Request) -> web.Response:
        if self.requests.count("POST /out?") == 0:
            self.requests.append("POST /out?")
            return web.Response(status=404, text="nothing to see yet")
        assert self.track is not None
        pc = self._new(request)
        pc.addTrack(self.track)
        return await self._answer(request, pc, "out")

    async def _delete(self, request: web.Request) -> web.Response:
        self.requests.append(f"DELETE {request.match_info['name']}")
        return web.Response()

    def _new(self, request: web.Request) -> RTCPeerConnection:
        self.requests.append(f"POST {request.path}?{request.query_string}")
        assert request.content_type == "application/sdp" and request.headers["Authorization"] == "Bearer secret"
        self.pcs.append(RTCPeerConnection(RTCConfiguration([])))
        return self.pcs[-1]

    async def _answer(self, request: web.Request, pc: RTCPeerConnection, name: str) -> web.Response:
        offer = await request.text()
        assert ("a=sendonly" if name == "in" else "a=recvonly") in offer
        await pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await pc.setLocalDescription(await pc.createAnswer())
        # A relative address, as RFC 9725 allows.
        headers = {"Location": f"resource/{name}", "Content-Type": "application/sdp"}
        return web.Response(status=201, text=pc.localDescription.sdp, headers=headers)


def test_whip_in_and_whep_out(tmp_path: Path) -> None:
    plan, server = _plan(tmp_path, "h264"), WhipWhep()

    async def run() -> dict[str, Any]:
        async with server.serve() as served:
            target = Target("", str(served.join(URL("in?a=1"))), str(served.join(URL("out"))), "secret")
            return await phase.run(plan, target, "strength=0", None)

    _check(asyncio.run(run()), plan)
    assert server.requests == [
        *("POST /in?a=1&strength=0", "POST /out?", "POST /out?"),
        *("DELETE out", "DELETE in"),
    ]


def test_a_relay_that_refuses_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plan = _plan(tmp_path, "vp8")

    async def run(query: str) -> None:
        async with relay(monkeypatch) as (_, client):
            await phase.run(plan, Target(str(client.make_url("/call"))), query, None)

    with pytest.raises(ClearcallError, match="answered 400: strength must be"):
        asyncio.run(run("strength=7"))


def test_a_relay_that_is_not_there_is_said(tmp_path: Path) -> None:
    plan = _plan(tmp_path, "vp8")
    with pytest.raises(ClearcallError, match="cannot be called"):
        asyncio.run(phase.run(plan, Target("http://127.0.0.1:9/call"), "", None))
