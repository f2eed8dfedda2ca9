"""A multimodal model behind an OpenAI-compatible endpoint scores the same rubric, with the picture before it."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import json
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from engines.errors import BadInput, ClearcallError
from training.curation.rubric import JUDGED

KEY_VARIABLE = "CLEARCALL_JUDGE_KEY"
"""Environment variable with the endpoint's key, if it wants one."""

TRIES = 3
PAUSES = (1.0, 4.0)
"""Seconds before the second and the third try."""

LONGEST_PAUSE = 30.0
"""Seconds; an endpoint that asks for more patience than this is not waited for longer."""

LARGEST_ANSWER = 256 << 10
"""Bytes; an answer that is longer is no answer."""

LONGEST_REASON = 300
"""Characters of the judge's own words that are kept."""

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the judge said of one picture."""

    scores: dict[str, float]
    """Criterion to 0..1; all of `JUDGED`."""
    reason: str = ""
    """Its own words, one line."""


class JudgeError(ClearcallError):
    """The judge gave no usable answer; the measures decide instead."""


class _Retry(Exception):
    """Something that another try may cure."""

    def __init__(self, why: str, pause: float | None = None) -> None:
        super().__init__(why)
        self.pause = pause


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """Where the judge is and how it is asked."""

    url: str
    """Up to and without `/chat/completions`, such as http://127.0.0.1:8000/v1."""
    model: str = "default"
    key: str = ""
    timeout: float = 60.0
    """Seconds for one try, from the connection to the answer's last byte."""

    def check(self) -> None:
        """BadInput for an address that cannot be right, or that would send the key in the clear."""
        try:
            parts = urlsplit(self.url)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise BadInput(f"--judge {self.url}: {error}") from error
        if parts.scheme not in {"http", "https"} or not host:
            raise BadInput(f"--judge must be an http or https address, not {self.url}")
        if parts.username or parts.query or parts.fragment:
            raise BadInput(f"--judge takes a plain address; a key goes into {KEY_VARIABLE}")
        if self.key and not (self.key.isascii() and self.key.isprintable()):
            raise BadInput(f"{KEY_VARIABLE} holds characters that no key has")
        if parts.scheme == "http" and self.key and not self.local:
            raise BadInput(f"--judge {self.url}: the key would go over the network in the clear, use https")
        if not 0 < self.timeout <= 3600:
            raise BadInput(f"--judge-timeout must be above 0 and at most 3600, not {self.timeout:g}")

    @property
    def local(self) -> bool:
        """Whether the pictures stay on this machine."""
        host = urlsplit(self.url).hostname or ""
        try:
            return host == "localhost" or ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


def question() -> str:
    """What the judge is asked."""
    lines = [f'- "{c.name}": {c.question}' for c in JUDGED]
    return "\n".join(
        [
            "You check photos for training a face restoration model. Score the face in this picture.",
            "Each score is a number from 0 (useless) over 0.5 (just good enough) to 1 (perfect), and 1 means:",
            *lines,
            'Answer with one JSON object and nothing else: these keys, and "reason", one short sentence.',
        ]
    )


def request_body(picture: bytes, model: str) -> dict[str, Any]:
    """The body of a chat completion for one JPEG."""
    image = {"url": "data:image/jpeg;base64," + base64.b64encode(picture).decode()}
    content = [{"type": "text", "text": question()}, {"type": "image_url", "image_url": image}]
    return {"model": model, "temperature": 0, "messages": [{"role": "user", "content": content}]}


def parse_answer(text: str) -> Judgement:
    """The judgement in the model's words; ValueError, with the reason, where it does not keep to the schema."""
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        raise ValueError("no JSON object in the answer")
    try:
        raw = json.loads(text[start : end + 1])
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON: {error}") from error
    found: dict[str, float] = {}
    for criterion in JUDGED:
        value = raw.get(criterion.name)
        # True is a number to Python.
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"no number for {criterion.name}")
        if not 0 <= value <= 1:
            raise ValueError(f"{criterion.name} is not in 0..1")
        found[criterion.name] = float(value)
    reason = raw.get("reason", "")
    words = " ".join(reason.split())[:LONGEST_REASON] if isinstance(reason, str) else ""
    return Judgement(found, words)


class Judge:
    """Asks one endpoint; use it as an async context manager."""

    def __init__(self, settings: JudgeSettings, sleep: Sleep = asyncio.sleep) -> None:
        self._settings = settings
        self._sleep = sleep
        self._address = settings.url.rstrip("/") + "/chat/completions"
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Judge:
        headers = {"Authorization": f"Bearer {self._settings.key}"} if self._settings.key else {}
        timeout = aiohttp.ClientTimeout(total=self._settings.timeout)
        self._session = aiohttp.ClientSession(headers=headers, timeout=timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def __call__(self, picture: bytes) -> Judgement:
        """Score one JPEG; JudgeError when `TRIES` tries brought no usable answer."""
        body = request_body(picture, self._settings.model)
        why = ""
        for attempt in range(TRIES):
            try:
                return await self._ask(body)
            except _Retry as error:
                why = str(error)
                if attempt < len(PAUSES):
                    await self._sleep(PAUSES[attempt] if error.pause is None else error.pause)
        raise JudgeError(f"{why} ({TRIES} tries)")

    async def _ask(self, body: dict[str, Any]) -> Judgement:
        assert self._session is not None
        try:
            # A redirect would take the key and the picture to an address that nobody named.
            async with self._session.post(self._address, json=body, allow_redirects=False) as response:
                _check_status(response)
                data = await _read(response)
        except TimeoutError as error:
            raise _Retry(f"no answer within {self._settings.timeout:g} s") from error
        except aiohttp.ClientError as error:
            raise _Retry(f"no connection: {error}") from error
        try:
            return parse_answer(_words(data))
        except ValueError as error:
            raise _Retry(str(error)) from error


def _check_status(response: aiohttp.ClientResponse) -> None:
    if response.status == 200:
        return
    if response.status in {408, 409, 425, 429} or response.status >= 500:
        raise _Retry(f"status {response.status}", _patience(response.headers.get("Retry-After")))
    raise JudgeError(f"status {response.status}")


def _patience(header: str | None) -> float | None:
    """The seconds that the endpoint asks for; None where it says nothing, or a date."""
    return min(float(header), LONGEST_PAUSE) if header is not None and header.isdecimal() else None


async def _read(response: aiohttp.ClientResponse) -> bytes:
    data = b""
    async for chunk in response.content.iter_chunked(1 << 16):
        data += chunk
        if len(data) > LARGEST_ANSWER:
            raise _Retry(f"an answer of more than {LARGEST_ANSWER >> 10} KiB")
    return data


def _words(data: bytes) -> str:
    """The model's text in a chat completion; ValueError where there is none."""
    try:
        text = json.loads(data)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ValueError("no chat completion in the answer") from error
    if not isinstance(text, str):
        raise ValueError("no text in the answer")
    return text
