"""How a call is set up: `POST /call` (one connection both ways), or WHIP to send and WHEP to receive (RFC 9725)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from yarl import URL

from benchmarks.latency.told import figures_in
from engines.errors import BadInput, ClearcallError

CONNECT_S = 30.0
RETRY_S = 0.5
NOT_YET = {404, 409, 425, 503}
"""What a WHEP endpoint may say while the picture that it is to hand out is still on its way in."""
MIME_TYPES = {"vp8": "video/VP8", "h264": "video/H264"}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a relay is called; either `call`, or `whip` and `whep`."""

    call: str = ""
    whip: str = ""
    whep: str = ""
    token: str = ""

    def __str__(self) -> str:
        return self.call or f"{self.whip} and {self.whep}"


@dataclass(slots=True)
class Link:
    """A call that is set up."""

    returned: MediaStreamTrack
    """The picture that comes back."""
    connections: list[RTCPeerConnection]
    """The first of them sends."""
    told: list[tuple[float, str]] = field(default_factory=list)
    """What the relay tells of itself on the data channel `clearcall`: when each message with figures came, and its
    text. As text, since many small objects would cost the sender pauses for their collection."""

    def on_message(self, message: str | bytes) -> None:
        """Keep a message of the relay's that has figures in it."""
        if isinstance(message, str) and figures_in(message):
            self.told.append((time.monotonic(), message))


def read_target(call: str | None, whip: str | None, whep: str | None, token: str | None) -> Target | None:
    """The target in the options; None where nothing is said.

    Raises:
        BadInput: An address is none, or they do not go together.
    """
    if (whip is None) != (whep is None) or (call is not None and whip is not None):
        raise BadInput("give --target, or --whip and --whep together")
    if call is None and whip is None:
        return None
    address = _url("--target", call)
    if address and URL(address).path in {"", "/"}:
        address = str(URL(address).with_path("/call"))
    return Target(address, _url("--whip", whip), _url("--whep", whep), token or "")


def link(
    target: Target, query: str, codec: str, track: MediaStreamTrack
) -> contextlib.AbstractAsyncContextManager[Link]:
    """A call that sends `track` as `codec`; `query` is added to the address.

    Raises:
        ClearcallError: The relay cannot be reached, refuses the call, or sends no picture.
    """
    return _call(target, query, codec, track) if target.call else _whip_whep(target, query, codec, track)


@contextlib.asynccontextmanager
async def _call(target: Target, query: str, codec: str, track: MediaStreamTrack) -> AsyncIterator[Link]:
    async with _http(target) as http, _connection() as pc:
        returned = _returned(pc)
        channel = pc.createDataChannel("clearcall")
        pc.addTrack(track)
        async with _posted(http, target.call, query, codec, pc):
            made = Link(await _within(returned, target.call), [pc])
            channel.on("message", made.on_message)
            yield made


@contextlib.asynccontextmanager
async def _whip_whep(target: Target, query: str, codec: str, track: MediaStreamTrack) -> AsyncIterator[Link]:
    async with _http(target) as http, _connection() as out, _connection() as back:
        out.addTransceiver(track, direction="sendonly")
        async with _posted(http, target.whip, query, codec, out):
            returned = _returned(back)
            back.addTransceiver("video", direction="recvonly")
            async with _posted(http, target.whep, "", codec, back, retry_s=CONNECT_S):
                yield Link(await _within(returned, target.whep), [out, back])


@contextlib.asynccontextmanager
async def _posted(
    http: aiohttp.ClientSession, address: str, query: str, codec: str, pc: RTCPeerConnection, retry_s: float = 0.0
) -> AsyncIterator[None]:
    """Offer and answer; deletes the resource in the end."""
    codecs = RTCRtpSender.getCapabilities("video").codecs
    wanted = [each for each in codecs if each.mimeType == MIME_TYPES[codec]]
    next(t for t in pc.getTransceivers() if t.kind == "video").setCodecPreferences(wanted)
    # aiortc gathers its candidates before this returns, so none need to follow.
    await pc.setLocalDescription(await pc.createOffer())
    url = URL(address).update_query(query) if query else URL(address)
    answer, resource = await _post(http, url, pc.localDescription.sdp, retry_s)
    try:
        try:
            await pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        except Exception as error:  # aiortc raises as many kinds as an answer can be wrong in
            raise ClearcallError(f"{url}: the answer cannot be used ({error})") from error
        if f" {MIME_TYPES[codec].split('/')[1]}/90000".lower() not in answer.lower():
            raise ClearcallError(f"{url}: it does not take {codec}")
        yield
    finally:
        if resource is not None:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with http.delete(resource):
                    pass


async def _post(http: aiohttp.ClientSession, url: URL, offer: str, retry_s: float) -> tuple[str, URL | None]:
    loop = asyncio.get_running_loop()
    until = loop.time() + retry_s
    while True:
        try:
            async with http.post(url, data=offer.encode(), headers={"Content-Type": "application/sdp"}) as response:
                text = await response.text()
                location = response.headers.get("Location")
                if response.status == 201:
                    return text, None if location is None else response.url.join(URL(location))
                if response.status not in NOT_YET or loop.time() >= until:
                    raise ClearcallError(f"{url} answered {response.status}: {' '.join(text.split())[:200]}")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ClearcallError(f"{url} cannot be called: {error or 'no answer'}") from error
        await asyncio.sleep(RETRY_S)


def _http(target: Target) -> aiohttp.ClientSession:
    headers = {"Authorization": f"Bearer {target.token}"} if target.token else {}
    return aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(CONNECT_S))


@contextlib.asynccontextmanager
async def _connection() -> AsyncIterator[RTCPeerConnection]:
    # An empty list, not None: aiortc would ask a public STUN server otherwise.
    pc = RTCPeerConnection(RTCConfiguration([]))
    try:
        yield pc
    finally:
        await pc.close()


def _returned(pc: RTCPeerConnection) -> asyncio.Future[MediaStreamTrack]:
    future: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()

    def take(track: MediaStreamTrack) -> None:
        if track.kind == "video" and not future.done():
            future.set_result(track)

    pc.on("track", take)
    return future


async def _within(returned: asyncio.Future[MediaStreamTrack], address: str) -> MediaStreamTrack:
    try:
        async with asyncio.timeout(CONNECT_S):
            return await returned
    except TimeoutError:
        raise ClearcallError(f"{address}: it offers no picture") from None


def _url(option: str, text: str | None) -> str:
    if text is None:
        return ""
    try:
        url = URL(text)
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.host:
        raise BadInput(f"{option} needs an address like http://127.0.0.1:8080, not {text[:80]!r}")
    return str(url)
