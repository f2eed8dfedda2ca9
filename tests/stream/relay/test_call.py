"""Whole calls with an aiortc client in this process: what comes back, and what is left when they end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from aiortc import RTCSessionDescription

from stream.relay import server
from stream.relay.settings import RelaySettings
from tests.stream.relay.fakes import OFFER, Caller, FakeFilter, relay, until

Http = TestClient[Any, Any]
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}


def _threads() -> set[str]:
    # The event loop's own pool stays.
    return {thread.name for thread in threading.enumerate() if not thread.name.startswith("asyncio")}


def _with_call(
    monkeypatch: pytest.MonkeyPatch,
    work: Callable[[server.Relay, Caller], Awaitable[None]],
    settings: RelaySettings | None = None,
    audio: bool = False,
    query: str = "",
) -> None:
    async def run() -> None:
        before = _threads()
        async with relay(monkeypatch, settings) as (made, client):
            caller = Caller(client, audio)
            await caller.call(query)
            try:
                await work(made, caller)
            finally:
                await caller.close()
            await until(lambda: len(made.table) == 0)
            assert FakeFilter.open == 0, "a filter was left open"
            await until(lambda: _threads() <= before)
            tasks = [task for task in asyncio.all_tasks() if "session.py" in str(task.get_coro())]
            assert not tasks, "a task was left running"

    asyncio.run(run())


def test_picture_and_sound_come_back_with_their_time_stamps(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(made: server.Relay, caller: Caller) -> None:
        frames = await caller.frames(20)
        assert {pts % 3000 for pts in frames} == {0}, "time stamps must be the source's: thirtieths of a second"
        assert frames == sorted(set(frames))
        sound = await caller.frames(20, "audio")
        assert sound == list(range(sound[0], sound[0] + 20 * 960, 960))
        (call,) = made.table
        assert call.received >= 20 and call.track.sent >= 20

    _with_call(monkeypatch, work, audio=True)


def test_the_channel_tells_the_settings_then_figures_and_takes_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(made: server.Relay, caller: Caller) -> None:
        settings = await caller.message("settings")
        assert (settings["prompt"], settings["strength"], settings["prompts"]) == ("noise", 0.25, ["noise", "blur"])
        await caller.frames(5)
        for _ in range(2):
            figures = await caller.message("figures")
        assert {"fps", "added_ms", "dropped", "faces", "call"} <= figures.keys()
        caller.channel.send('{"prompt": "blur", "strength": 1}')
        settings = await caller.message("settings")
        assert (settings["prompt"], settings["strength"]) == ("blur", 1.0)

    _with_call(monkeypatch, work, query="?prompt=noise&strength=0.25")


def test_the_figures_tell_of_each_stage_of_a_frames_way(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(made: server.Relay, caller: Caller) -> None:
        await caller.frames(10)
        (call,) = made.table
        stages = call.figures()["stages"]
        assert isinstance(stages, dict)
        # In their order; the filter, a stand-in here, has none of its own.
        assert list(stages) == ["jitter buffer", "decode", "encode", "send"]
        assert all(times["median_ms"] > 0 for times in stages.values())

    _with_call(monkeypatch, work)


def test_a_bad_message_is_answered_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(made: server.Relay, caller: Caller) -> None:
        await caller.message("settings")
        for bad in ("{", "x" * 5000, '{"prompt": "sharpness", "strength": 0}', '{"prompt": "blur", "strength": 2}'):
            caller.channel.send(bad)
            assert len(str((await caller.message("error"))["error"])) < 200
        caller.channel.send('{"strength": 0.5}')
        settings = await caller.message("settings")
        assert (settings["prompt"], settings["strength"]) == ("auto", 0.5)

    _with_call(monkeypatch, work)


def test_another_channel_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(made: server.Relay, caller: Caller) -> None:
        await caller.message("settings")
        other = caller.pc.createDataChannel("clearcall")
        await until(lambda: other.readyState == "closed")
        await caller.message("figures")

    _with_call(monkeypatch, work)


def test_delete_ends_the_call_and_frees_it_before_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(made: server.Relay, caller: Caller) -> None:
        await caller.frames(3)
        assert (await caller.http.delete(caller.location)).status == 200
        assert len(made.table) == 0 and FakeFilter.open == 0
        assert (await caller.http.delete(caller.location)).status == 404
        metrics = await (await caller.http.get("/metrics")).text()
        assert "clearcall_frames_received_total 0\n" not in metrics and "clearcall_sessions 0\n" in metrics

    _with_call(monkeypatch, work)


def test_a_caller_who_hangs_up_frees_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(made: server.Relay, caller: Caller) -> None:
        await caller.frames(3)

    _with_call(monkeypatch, work)


def test_a_call_without_media_ends_after_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(made: server.Relay, caller: Caller) -> None:
        await caller.frames(3)
        # Connected, but the camera brings nothing any more.
        caller.pc.getSenders()[0].replaceTrack(None)
        # The caller heard nothing but that the relay had closed the channel.
        assert (await caller.message("ended"))["ended"] == "no picture for 1 s"
        await until(lambda: len(made.table) == 0)

    _with_call(monkeypatch, work, RelaySettings(media_timeout_s=1.0))


def test_an_offer_that_nobody_follows_up_ends_after_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with relay(monkeypatch, RelaySettings(media_timeout_s=0.5)) as (made, client):
            caller = Caller(client)
            offer = await caller.offer()
            await caller.close()
            assert (await client.post("/call", data=offer, headers=OFFER)).status == 201
            await until(lambda: len(made.table) == 0)
            assert FakeFilter.open == 0

    asyncio.run(run())


def test_candidates_may_come_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with relay(monkeypatch) as (made, client):
            caller = Caller(client)
            lines = (await caller.offer()).splitlines(keepends=True)
            late = [line for line in lines if line.startswith(("a=candidate", "a=end-of"))]
            mid = next(line for line in lines if line.startswith("a=mid"))
            offer = "".join(line for line in lines if line not in late)
            answer = await client.post("/call", data=offer, headers=OFFER)
            location = answer.headers["Location"]
            await caller.pc.setRemoteDescription(
                RTCSessionDescription(await answer.text(), "answer"),
            )
            trickled = await client.patch(location, data=mid + "".join(late), headers=FRAGMENT)
            assert trickled.status == 204
            await caller.frames(2)
            again = "".join([mid, *late[:1] * 60])
            statuses = [(await client.patch(location, data=again, headers=FRAGMENT)).status for _ in range(2)]
            assert statuses[-1] == 400, "the number of candidates must be bounded over the whole call"
            assert (await client.patch(location, data="x", headers=FRAGMENT)).status == 400
            assert (await client.delete(location)).status == 200
            await caller.close()

    asyncio.run(run())


def test_a_connection_that_cannot_be_made_ends_the_call_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with relay(monkeypatch, RelaySettings(media_timeout_s=3600)) as (made, client):
            caller = Caller(client)
            lines = (await caller.offer()).splitlines(keepends=True)
            offer = "".join(line for line in lines if not line.startswith(("a=candidate", "a=end-of")))
            answer = await client.post("/call", data=offer, headers=OFFER)
            end = "a=mid:0\r\na=end-of-candidates\r\n"
            assert (await client.patch(answer.headers["Location"], data=end, headers=FRAGMENT)).status == 204
            await until(lambda: len(made.table) == 0)
            assert FakeFilter.open == 0
            await caller.close()

    asyncio.run(run())


def test_stopping_the_relay_ends_its_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with relay(monkeypatch) as (made, client):
            caller = Caller(client)
            await caller.call()
            await caller.frames(3)
            await caller.message("figures")
        assert len(made.table) == 0 and FakeFilter.open == 0
        assert (await caller.message("ended"))["ended"] == "the relay stops"
        await caller.close()

    asyncio.run(run())
