"""A judge on this machine that answers as it is told."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from training.curation.rubric import JUDGED

Answer = Callable[[int, dict[str, Any]], web.StreamResponse]
"""From the number of the request, from 0, and its body."""


def words(**changed: object) -> str:
    """What a good judge says, with some of it changed."""
    return json.dumps({**{c.name: 0.8 for c in JUDGED}, "reason": "a good face", **changed})


def completion(text: object) -> web.Response:
    """A chat completion with this text."""
    return web.json_response({"choices": [{"message": {"role": "assistant", "content": text}}]})


class Endpoint:
    """What came in, and where it listens."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.url = ""


@contextmanager
def serving(answer: Answer | None) -> Iterator[Endpoint]:
    """Run the endpoint in a thread; without an answer it is silent."""
    seen, loop = Endpoint(), asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        number = len(seen.bodies)
        seen.paths.append(request.path)
        seen.headers.append(dict(request.headers))
        seen.bodies.append(await request.json())
        if answer is None:
            await stop.wait()
            return completion(words())
        return answer(number, seen.bodies[-1])

    async def serve() -> None:
        app = web.Application(client_max_size=16 << 20)
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        seen.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield seen
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
