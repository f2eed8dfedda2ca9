"""What a call costs with aiortc as it is and no filter at all: a relay that decodes each picture and encodes it again.

    python -m benchmarks.stock_echo [--port 8090]
    clearcall bench latency --target http://127.0.0.1:8090 --off none

Nothing of `stream` is loaded here: it would bring its tuning of aiortc along.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import signal
import socket
import sys
from collections.abc import Sequence

from aiohttp import web
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription

HOST = "127.0.0.1"
PORT = 8090


class Echo:
    """Answers `POST /call` with the caller's own picture, and ends calls on `DELETE`."""

    def __init__(self) -> None:
        self._calls: dict[str, RTCPeerConnection] = {}

    def app(self) -> web.Application:
        """The aiohttp application; its clean-up ends all calls."""
        app = web.Application()
        app.router.add_post("/call", self._call)
        app.router.add_delete("/call/{id}", self._hang_up)
        app.on_cleanup.append(self._close)
        return app

    async def _call(self, request: web.Request) -> web.Response:
        offer = await request.text()
        if "m=video" not in offer:
            raise web.HTTPBadRequest(text="the offer has no video")
        # An empty list, not None: aiortc would ask a public STUN server otherwise.
        pc = RTCPeerConnection(RTCConfiguration([]))

        def echo(track: MediaStreamTrack) -> None:
            if track.kind == "video":
                pc.addTrack(track)

        pc.on("track", echo)
        name = secrets.token_urlsafe(8)
        self._calls[name] = pc
        try:
            await pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            await pc.setLocalDescription(await pc.createAnswer())
        except Exception as error:  # aiortc raises as many kinds as an offer can be wrong in
            await self._end(name)
            raise web.HTTPBadRequest(text=f"the offer cannot be answered ({error})") from error
        headers = {"Location": f"/call/{name}", "Content-Type": "application/sdp"}
        return web.Response(status=201, body=pc.localDescription.sdp.encode(), headers=headers)

    async def _hang_up(self, request: web.Request) -> web.Response:
        await self._end(request.match_info["id"])
        return web.Response()

    async def _end(self, name: str) -> None:
        pc = self._calls.pop(name, None)
        if pc is not None:
            await pc.close()

    async def _close(self, app: web.Application) -> None:
        for name in list(self._calls):
            await self._end(name)


async def serve(listener: socket.socket) -> None:
    """Answer calls until the process is told to end."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(Echo().app(), access_log=None)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        # The address is the last word, for whoever started this with port 0.
        print(f"stock aiortc echo on http://{HOST}:{listener.getsockname()[1]}", flush=True)
        await stop.wait()
    finally:
        await runner.cleanup()


def main(argv: Sequence[str] | None = None) -> int:
    """Serve on this machine alone; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=PORT, help="0 takes any that is free (default: %(default)d)")
    arguments = parser.parse_args(argv)
    try:
        listener = socket.create_server((HOST, arguments.port))
    except (OSError, OverflowError) as error:
        print(f"stock_echo: cannot listen on port {arguments.port}: {error}", file=sys.stderr)
        return 1
    with listener:
        asyncio.run(serve(listener))
    return 0


if __name__ == "__main__":
    sys.exit(main())
