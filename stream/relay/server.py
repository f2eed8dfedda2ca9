"""The relay's HTTP side: the page, calls, health and metrics."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from engines.errors import BadInput, ClearcallError
from stream.collector import give_back
from stream.filter import FaceFilter
from stream.models import Model
from stream.relay import metrics
from stream.relay.sdp import read_fragment, read_offer
from stream.relay.session import Session
from stream.relay.sessions import RelayFull, SessionTable
from stream.relay.settings import RelaySettings
from stream.scope import FACE, Scope, tiles_of
from stream.wishes import check_prompt, parse_strength

MAX_BODY = 64 * 1024
"""Bytes of a request's body; a browser's offer has 4 to 8 thousand."""
BODY_TIMEOUT_S = 10.0
RETRY_AFTER_S = 10
GIVE_BACK_AFTER_S = 1.0
"""From a call's end until its memory is given back."""
PAGE_KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
"""Content types of the page's files, by suffix"""
OPEN_KINDS = ("text/css", "text/javascript")
"""of these, those that need no token: they tell nothing of any call."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self)",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logging.getLogger(__name__)


class Relay:
    """The routes and what they share: one model, one table of calls."""

    def __init__(self, settings: RelaySettings, model: Model, scope: Scope = FACE) -> None:
        self.settings = settings
        self.model = model
        self.scope = scope
        self.table: SessionTable[Session] = SessionTable(
            settings.max_sessions, settings.media_timeout_s, self._freed
        )
        self._ended = metrics.Totals()
        self._page = page_files()
        self._public = {"/healthz"} | {path for path, (_, kind) in self._page.items() if kind in OPEN_KINDS}

    def app(self) -> web.Application:
        """The aiohttp application; its clean-up ends all calls."""
        app = web.Application(middlewares=[self._guard], client_max_size=MAX_BODY)
        app.router.add_routes([web.get(path, self._file) for path in self._page])
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_post("/call", self._call)
        app.router.add_patch("/call/{id}", self._trickle)
        app.router.add_delete("/call/{id}", self._hang_up)
        app.cleanup_ctx.append(self._sweep)
        return app

    async def _sweep(self, app: web.Application) -> AsyncIterator[None]:
        sweeper = asyncio.ensure_future(self.table.sweep())
        yield
        sweeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sweeper
        await self.table.close()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            _same_origin(request)
            if request.path not in self._public:
                _check_token(request, self.settings.token)
            response = await handler(request)
        except web.HTTPException as error:
            response = _line(error.status, error.text or error.reason, dict(error.headers))
        except RelayFull as error:
            response = _line(503, str(error), {"Retry-After": str(RETRY_AFTER_S)})
        except BadInput as error:
            response = _line(400, str(error))
        except ClearcallError as error:
            log.error("%s", error)
            response = _line(500, str(error))
        except Exception:
            log.exception("a request failed")
            response = _line(500, "an error in the relay; its log has more")
        response.headers.update(HEADERS)
        return response

    async def _file(self, request: web.Request) -> web.Response:
        body, kind = self._page[request.path]
        return web.Response(body=body, content_type=kind, charset="utf-8")

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "ready": True,
                "engine": self.model.engine,
                "engines_refused": self.model.refused,
                "model": self.model.name,
                "prompts": list(self.model.prompts),
                "sessions": len(self.table),
                "max_sessions": self.table.limit,
                "ice_servers": [self.settings.stun] if self.settings.stun else [],
            }
        )

    async def _metrics(self, request: web.Request) -> web.Response:
        table = self.table
        live = [call.figures() for call in table]
        text = metrics.render(len(table), table.limit, table.started, table.refused, self._ended, live)
        text += metrics.engines(self.model.engine, self.model.refused)
        return web.Response(text=text, headers={"Content-Type": metrics.CONTENT_TYPE})

    async def _call(self, request: web.Request) -> web.Response:
        prompt = check_prompt(request.query.get("prompt", "auto"))
        strength = parse_strength(request.query.get("strength", "1"))
        model = request.query.get("model", self.model.name)
        if model != self.model.name:
            raise BadInput(f"unknown model {model[:40]!r}; this relay serves: {self.model.name}")
        offer = read_offer(await _body(request, "application/sdp"))
        with self.table.place() as number:
            session = await self._open(number, prompt, strength)
            try:
                answer = await session.answer(offer)
            except BaseException:
                await session.close()
                raise
            self.table.add(session)
        log.info("call %d: begun, %d of %d", number, len(self.table), self.table.limit)
        headers = {"Location": f"/call/{session.id}", "Content-Type": "application/sdp"}
        return web.Response(status=201, body=answer.encode(), headers=headers)

    async def _open(self, number: int, prompt: str, strength: float) -> Session:
        face_filter = await asyncio.get_running_loop().run_in_executor(None, self.new_filter, prompt, strength)
        session: Session
        try:
            session = Session(
                number, self.model, face_filter, self.settings.stun, lambda reason: self.table.end(session, reason)
            )
        except BaseException:
            face_filter.close()
            raise
        return session

    def new_filter(self, prompt: str, strength: float) -> FaceFilter:
        """A filter for one call; raises what `FaceFilter` does."""
        tiles = tiles_of(self.model) if self.scope.whole else None
        return FaceFilter(self.model, prompt, strength, self.settings.latency_budget_s, tiles)

    def _freed(self, session: Session) -> None:
        self._ended.add(session.figures())
        # Once nobody holds it any more, and not in the loop that serves the other calls.
        loop = asyncio.get_running_loop()
        loop.call_later(GIVE_BACK_AFTER_S, lambda: loop.run_in_executor(None, give_back))

    async def _trickle(self, request: web.Request) -> web.Response:
        session = self._find(request)
        await session.add_candidates(read_fragment(await _body(request, "application/trickle-ice-sdpfrag")))
        return web.Response(status=204)

    async def _hang_up(self, request: web.Request) -> web.Response:
        await self.table.end(self._find(request), "by the caller", known=True)
        return web.Response(status=200)

    def _find(self, request: web.Request) -> Session:
        session = self.table.get(request.match_info["id"])
        if session is None:
            raise web.HTTPNotFound(text="no such call; it may have ended")
        return session


def page_files() -> dict[str, tuple[bytes, str]]:
    """The page's files by their paths: what is in them, and its content type."""
    found = {}
    for file in files("stream.relay.page").iterdir():
        kind = PAGE_KINDS.get(Path(file.name).suffix)
        if kind is not None:
            path = "/" if file.name == "index.html" else f"/{file.name}"
            found[path] = (file.read_bytes(), kind)
    return found


def _line(status: int, text: str, headers: dict[str, str] | None = None) -> web.Response:
    own = {"content-type", "content-length"}
    kept = {key: value for key, value in (headers or {}).items() if key.lower() not in own}
    return web.Response(status=status, text=" ".join(text.split()) + "\n", headers=kept)


def _check_token(request: web.Request, token: str | None) -> None:
    if token is None:
        return
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        given = request.query.get("token", "")
    given = given.strip()
    if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode()):
        fault = "this is not the relay's token" if given else "this relay needs its token"
        raise web.HTTPUnauthorized(
            text=f"{fault}: open the page as /?token=… or send Authorization: Bearer …",
            headers={"WWW-Authenticate": "Bearer"},
        )


def _same_origin(request: web.Request) -> None:
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc.lower() != request.host.lower():
        raise web.HTTPForbidden(text="calls come from the relay's own page only")


async def _body(request: web.Request, content_type: str) -> str:
    if request.content_type != content_type:
        raise web.HTTPUnsupportedMediaType(text=f"the body must be {content_type}")
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            # Raises 413 over MAX_BODY, whatever the header said.
            return (await request.read()).decode()
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="the body took too long") from None
    except UnicodeDecodeError:
        raise BadInput("the body is not UTF-8") from None
