"""A judge may answer well, badly, with an error, slowly, or not at all: none of it ends a run or goes unnoticed."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from aiohttp import web

from engines.errors import BadInput
from tests.training.curation.endpoint import Answer, completion, serving, words
from training.curation.judge import (
    LARGEST_ANSWER,
    LONGEST_REASON,
    PAUSES,
    TRIES,
    Judge,
    JudgeError,
    Judgement,
    JudgeSettings,
    parse_answer,
)
from training.curation.rubric import JUDGED


class Pauses:
    """Pauses that take no time."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def ask(answer: Answer | None, timeout: float = 20, key: str = "", picture: bytes = b"jpeg") -> tuple[Any, Any, Pauses]:
    """The judgement or the error, what the endpoint saw, and the pauses."""
    pauses = Pauses()

    async def one(settings: JudgeSettings) -> Judgement:
        async with Judge(settings, pauses) as judge:
            return await judge(picture)

    with serving(answer) as seen:
        try:
            result: object = asyncio.run(one(JudgeSettings(seen.url, "eyes-7b", key, timeout)))
        except JudgeError as error:
            result = error
        return result, seen, pauses


def test_a_good_answer_is_taken() -> None:
    result, seen, pauses = ask(lambda number, body: completion(words(eyes=0.25)), key="secret")
    assert result.scores == {c.name: 0.25 if c.name == "eyes" else 0.8 for c in JUDGED}
    assert result.reason == "a good face"
    assert seen.paths == ["/v1/chat/completions"] and pauses.taken == []
    assert seen.headers[0]["Authorization"] == "Bearer secret"
    body = seen.bodies[0]
    assert body["model"] == "eyes-7b"
    text, image = body["messages"][0]["content"]
    assert all(f'"{c.name}"' in text["text"] for c in JUDGED)
    assert base64.b64decode(image["image_url"]["url"].removeprefix("data:image/jpeg;base64,")) == b"jpeg"


def test_without_a_key_none_is_sent() -> None:
    _, seen, _ = ask(lambda number, body: completion(words()))
    assert "Authorization" not in seen.headers[0]


@pytest.mark.parametrize(
    "first",
    [
        web.Response(status=500),
        web.Response(status=429),
        web.Response(text="not JSON"),
        web.json_response({"error": "busy"}),
        completion(None),
        completion("I cannot help with that."),
        completion(words(eyes=7)),
        completion(json.dumps({"eyes": 1})),
    ],
    ids=lambda r: f"{r.status}-{len(r.text or '')}",
)
def test_what_may_pass_is_tried_again(first: web.Response) -> None:
    status, text, kind = first.status, first.text, first.content_type

    def answer(number: int, body: object) -> web.StreamResponse:
        return web.Response(status=status, text=text, content_type=kind) if number == 0 else completion(words())

    result, seen, pauses = ask(answer)
    assert isinstance(result, Judgement)
    assert len(seen.bodies) == 2 and pauses.taken == [PAUSES[0]]


def test_after_the_last_try_it_fails_and_says_why() -> None:
    result, seen, pauses = ask(lambda number, body: web.Response(status=503))
    assert isinstance(result, JudgeError) and str(result) == f"status 503 ({TRIES} tries)"
    assert len(seen.bodies) == TRIES and pauses.taken == list(PAUSES)


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_refusal_is_not_repeated(status: int) -> None:
    result, seen, _ = ask(lambda number, body: web.Response(status=status))
    assert str(result) == f"status {status}" and len(seen.bodies) == 1


def test_a_redirect_is_not_followed() -> None:
    result, seen, _ = ask(lambda number, body: web.Response(status=307, headers={"Location": "/elsewhere"}), key="k")
    assert isinstance(result, JudgeError) and seen.paths == ["/v1/chat/completions"]


@pytest.mark.parametrize(("header", "pause"), [("7", 7.0), ("86400", 30.0), ("Fri, 1 Jan", PAUSES[0])])
def test_the_endpoint_may_ask_for_patience_within_reason(header: str, pause: float) -> None:
    def answer(number: int, body: object) -> web.StreamResponse:
        return completion(words()) if number else web.Response(status=429, headers={"Retry-After": header})

    _, _, pauses = ask(answer)
    assert pauses.taken == [pause]


def test_a_silent_judge_runs_out_of_time() -> None:
    result, seen, _ = ask(None, timeout=0.1)
    assert isinstance(result, JudgeError) and "no answer within 0.1 s" in str(result)
    assert 1 <= len(seen.bodies) <= TRIES


def test_an_endless_answer_is_cut_off() -> None:
    result, _, _ = ask(lambda number, body: web.Response(text="x" * (LARGEST_ANSWER + 1)))
    assert isinstance(result, JudgeError) and "more than" in str(result)


def test_nobody_there_is_an_error_of_one_line() -> None:
    with serving(None) as gone:
        pass

    async def one() -> Judgement:
        async with Judge(JudgeSettings(gone.url), Pauses()) as judge:
            return await judge(b"jpeg")

    with pytest.raises(JudgeError, match="no connection") as failed:
        asyncio.run(one())
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize("wrapped", ["{}", "```json\n{}\n```", "Here you are: {} Hope it helps!"])
def test_words_round_the_object_do_no_harm(wrapped: str) -> None:
    assert parse_answer(wrapped.replace("{}", words())).scores["eyes"] == 0.8


@pytest.mark.parametrize(
    "text",
    [
        "",
        "}{",
        "{eyes: 1}",
        words(eyes=True),
        words(eyes="0.8"),
        words(eyes=None),
        words(eyes=-0.1),
        words(eyes=1.01),
        words().replace("0.8", "NaN"),
        words().replace("0.8", "1e999"),
        "{" * 100_000 + "}",
    ],
)
def test_what_does_not_keep_to_the_schema_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_answer(text)


def test_the_reason_is_one_short_line() -> None:
    assert parse_answer(words(reason="a\nb\t c" + "d" * 9999)).reason == ("a b c" + "d" * 9999)[:LONGEST_REASON]
    assert parse_answer(words(reason=[1])).reason == ""


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (JudgeSettings("example.org/v1"), "http or https"),
        (JudgeSettings("ftp://example.org"), "http or https"),
        (JudgeSettings("http://"), "http or https"),
        (JudgeSettings("http://[::1"), "--judge"),
        (JudgeSettings("http://a:99999/"), "--judge"),
        (JudgeSettings("https://me:secret@example.org/v1"), "plain address"),
        (JudgeSettings("https://example.org/v1?key=1"), "plain address"),
        (JudgeSettings("http://example.org/v1", key="secret"), "in the clear"),
        (JudgeSettings("https://example.org/v1", key="a\nb"), "no key has"),
        (JudgeSettings("https://example.org/v1", timeout=0), "--judge-timeout"),
        (JudgeSettings("https://example.org/v1", timeout=float("nan")), "--judge-timeout"),
    ],
)
def test_a_wrong_address_is_refused_before_anything_is_sent(settings: JudgeSettings, text: str) -> None:
    with pytest.raises(BadInput, match=text) as refused:
        settings.check()
    assert "secret" not in str(refused.value) or "me:secret" in settings.url


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:1/v1", True),
        ("http://localhost/v1", True),
        ("http://[::1]:8/v1", True),
        ("https://example.org/v1", False),
        ("http://127.0.0.1.example.org/v1", False),
        ("http://192.168.1.2/v1", False),
    ],
)
def test_this_machine_is_told_from_others(url: str, local: bool) -> None:
    JudgeSettings(url).check()
    assert JudgeSettings(url).local is local
