"""The relay's HTTP side: what is answered to which request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient
from aiortc.mediastreams import AudioStreamTrack

from stream.relay import metrics, server
from stream.relay.settings import RelaySettings
from stream.scope import Scope
from stream.tiles.restorer import TileRestorer
from tests.stream.fakes import fake_model
from tests.stream.relay.fakes import OFFER, Caller, FakeFilter, relay

Http = TestClient[Any, Any]


def _with_relay(
    monkeypatch: pytest.MonkeyPatch,
    work: Callable[[server.Relay, Http], Awaitable[None]],
    settings: RelaySettings | None = None,
) -> None:
    async def run() -> None:
        async with relay(monkeypatch, settings) as (made, client):
            await work(made, client)
            assert len(made.table) == 0 and FakeFilter.open == 0, "something was left behind"

    asyncio.run(run())


async def _line(answer: ClientResponse, status: int) -> str:
    text = await answer.text()
    assert answer.status == status, text
    assert text.count("\n") == 1 and text.endswith("\n"), "an error is one line"
    return text


def test_the_page_and_its_files_ask_for_nothing_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(made: server.Relay, http: Http) -> None:
        page = server.page_files()
        assert {"/", "/style.css", "/main.js"} <= page.keys()
        for path, (_, kind) in page.items():
            answer = await http.get(path)
            text = await answer.text()
            assert answer.status == 200 and answer.content_type == kind
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert "//" not in text.replace("http://www.w3.org/2000/svg", "").replace("// ", "")

    _with_relay(monkeypatch, work)


def test_health_and_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(made: server.Relay, http: Http) -> None:
        health = await (await http.get("/healthz")).json()
        assert (health["ready"], health["engine"], health["sessions"], health["max_sessions"]) == (True, "fake", 0, 2)
        assert health["prompts"] == ["noise", "blur"]
        assert health["engines_refused"] == {"better": 'no "device"'}
        text = await (await http.get("/metrics")).text()
        assert "clearcall_sessions 0\n" in text
        assert 'clearcall_engine{engine="fake",refused=""} 1.0\n' in text
        assert 'clearcall_engine{engine="better",refused="no _device_"} 0.0\n' in text

    _with_relay(monkeypatch, work)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("?prompt=sharpness", "known: auto, noise, blur"),
        ("?prompt=" + "x" * 300, "at most 200"),
        ("?strength=1.2", "from 0 to 1"),
        ("?strength=nan", "from 0 to 1"),
        ("?strength=much", "from 0 to 1"),
        ("?model=huge", "this relay serves: tiny"),
    ],
)
def test_a_wrong_wish_is_refused(monkeypatch: pytest.MonkeyPatch, query: str, reason: str) -> None:
    async def work(made: server.Relay, http: Http) -> None:
        caller = Caller(http)
        offer = await caller.offer()
        await caller.close()
        assert reason in await _line(await http.post(f"/call{query}", data=offer, headers=OFFER), 400)

    _with_relay(monkeypatch, work)


def test_a_malformed_offer_a_wrong_type_and_a_large_body_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(made: server.Relay, http: Http) -> None:
        await _line(await http.post("/call", data="v=0\r\nm=video\r\n", headers=OFFER), 400)
        await _line(await http.post("/call", data=b"v=0\xff\xfe", headers=OFFER), 400)
        assert "no video" in await _line(await http.post("/call", data="v=0\r\n", headers=OFFER), 400)
        await _line(await http.post("/call", data="v=0\r\n", headers={"Content-Type": "text/plain"}), 415)
        await _line(await http.post("/call", data=b"v" * (server.MAX_BODY + 1), headers=OFFER), 413)
        await _line(await http.patch("/call/none", data=b"x"), 404)
        await _line(await http.delete("/call/none"), 404)
        await _line(await http.get("/call"), 405)
        await _line(await http.get("/../settings.py"), 404)

    _with_relay(monkeypatch, work)


def test_a_call_without_a_picture_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(made: server.Relay, http: Http) -> None:
        caller = Caller(http, tracks=[AudioStreamTrack()])
        offer = await caller.offer()
        await caller.close()
        assert "no video" in await _line(await http.post("/call", data=offer, headers=OFFER), 400)

    _with_relay(monkeypatch, work)


def test_an_offer_that_fails_late_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    # It passes the first look, then shares no codec with the relay: the filter is open by then.
    async def work(made: server.Relay, http: Http) -> None:
        caller = Caller(http, audio=True)
        offer = (await caller.offer()).replace("opus", "mp3").replace("PCM", "PDM").replace("G722", "G723")
        offer = offer.replace("RTP/SAVPF 96 9 0 8", "RTP/SAVPF 96")
        await caller.close()
        await _line(await http.post("/call", data=offer, headers=OFFER), 400)

    _with_relay(monkeypatch, work)


def test_one_call_too_many_gets_503_and_a_time_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(made: server.Relay, http: Http) -> None:
        first, second = Caller(http), Caller(http)
        await first.call()
        answer = await http.post("/call", data=await second.offer(), headers=OFFER)
        assert "full" in await _line(answer, 503) and int(answer.headers["Retry-After"]) > 0
        assert (await http.delete(first.location)).status == 200
        answer = await http.post("/call", data=second.pc.localDescription.sdp, headers=OFFER)
        assert answer.status == 201
        assert (await http.delete(answer.headers["Location"])).status == 200
        await first.close()
        await second.close()

    _with_relay(monkeypatch, work, RelaySettings(max_sessions=1))


def test_a_token_is_asked_for_and_taken_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(made: server.Relay, http: Http) -> None:
        for path in ("/", "/metrics", "/?token=", "/?token=secre", "/?token=secret2"):
            answer = await http.get(path)
            assert "token" in await _line(answer, 401) and answer.headers["WWW-Authenticate"] == "Bearer"
        await _line(await http.post("/call", data="v=0", headers=OFFER), 401)
        await _line(await http.get("/", headers={"Authorization": "Bearer wr\xf6ng"}), 401)
        # Who mistyped it was told that it was missing.
        assert "needs its token" in await (await http.get("/?token=")).text()
        assert "not the relay's token" in await (await http.get("/?token=secre")).text()
        assert (await http.get("/?token=secret")).status == 200
        assert (await http.get("/main.js")).status == 200
        assert (await http.get("/", headers={"Authorization": "Bearer secret"})).status == 200
        assert (await http.get("/healthz")).status == 200

    _with_relay(monkeypatch, work, RelaySettings(token="secret"))


def test_another_site_cannot_call(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(made: server.Relay, http: Http) -> None:
        headers = {**OFFER, "Origin": "https://elsewhere.example"}
        await _line(await http.post("/call", data="v=0", headers=headers), 403)
        preflight = await http.options("/call", headers={"Access-Control-Request-Method": "POST"})
        assert preflight.status == 405 and "Access-Control-Allow-Origin" not in preflight.headers

    _with_relay(monkeypatch, work)


def test_a_fault_in_the_relay_is_told_in_one_line_without_details(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(made: server.Relay, http: Http) -> None:
        monkeypatch.setattr(metrics, "render", lambda *_: 1 // 0)
        assert "division" not in await _line(await http.get("/metrics"), 500)

    _with_relay(monkeypatch, work)


@pytest.mark.parametrize("whole", [True, False])
def test_calls_are_restored_in_the_relays_scope(monkeypatch: pytest.MonkeyPatch, whole: bool) -> None:
    given: list[object] = []
    monkeypatch.setattr(server, "FaceFilter", lambda *arguments: given.append(arguments[4]))
    made = server.Relay(RelaySettings(), fake_model(128)[0], Scope(whole, "for a test"))
    made.new_filter("auto", 1.0)
    assert isinstance(given[0], TileRestorer) == whole
