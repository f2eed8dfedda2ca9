"""`clearcall relay`: open the port, load the model, answer calls until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import errno
import logging
import os
import signal
import socket
import ssl

from aiohttp import web

from engines.errors import BadInput
from engines.precision import AUTO
from stream import budget, threads
from stream.collector import settle
from stream.face.models import model_paths
from stream.models import Model, engine_line, open_model
from stream.relay import aiortc_tuning, settings
from stream.relay.server import Relay
from stream.relay.settings import RelaySettings
from stream.scope import Scope, of_call

SHUTDOWN_TIMEOUT_S = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's options; they are checked by `settings.read`."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine alone)")
    parser.add_argument("--port", default="8080", help="port to listen on, 0 for any free one (default: 8080)")
    parser.add_argument("--model", default="lite", help="model to restore with (default: lite)")
    parser.add_argument("--engine", default="auto", help="what to run it on; auto finds the best (default: auto)")
    parser.add_argument("--latency-budget", default=budget.DEFAULT, metavar="TIME", help=budget.HELP)
    parser.add_argument(
        "--precision", default=AUTO, help="auto, fp32, int8 or fp16; auto takes what is faster and as good (default)"
    )
    parser.add_argument("--max-sessions", metavar="N", help="calls at a time (default: one per two cores)")
    parser.add_argument("--token", metavar="T", help="ask callers for this token; the page is then at /?token=T")
    parser.add_argument("--tls-cert", metavar="FILE", help="serve https with this certificate chain (PEM)")
    parser.add_argument("--tls-key", metavar="FILE", help="the certificate's private key (PEM)")
    parser.add_argument("--stun", metavar="URL", help="STUN server for callers behind a NAT, e.g. stun:host:3478")


def run(arguments: argparse.Namespace) -> int:
    """Run the relay until Ctrl-C or SIGTERM; 0 after a clean stop.

    Raises:
        BadInput: An option is wrong, or the port cannot be had.
    """
    chosen = settings.read(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for name in ("aiortc", "aioice"):
        # At lower levels they log callers' addresses.
        logging.getLogger(name).setLevel(logging.WARNING)
    context = tls_context(chosen)
    # The port first: it fails at once, the model takes a while. Callers wait in the backlog meanwhile.
    with listen(chosen.host, chosen.port) as listener:
        aiortc_tuning.tune()
        model = open_model(
            chosen.model,
            threads.for_calls(os.cpu_count() or 1),
            engine=chosen.engine,
            precision=chosen.precision,
            live=True,
        )
        scope = of_call(model, chosen.latency_budget_s)
        # Now, and not when the first caller waits: they may have to be fetched.
        model_paths()
        return asyncio.run(_serve(chosen, model, scope, listener, context))


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        BadInput: The address is taken, forbidden or unknown; the text says what to do.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=128)
    except socket.gaierror:
        raise BadInput(f"--host {host} is not an address of this machine") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise BadInput(f"port {port} on {host} is in use: choose another with --port") from None
        if error.errno in {errno.EACCES, errno.EPERM}:
            raise BadInput(f"port {port} may not be opened by this user: choose one above 1023") from None
        raise BadInput(f"cannot listen on {host}, port {port}: {error.strerror}") from None


def tls_context(chosen: RelaySettings) -> ssl.SSLContext | None:
    """The certificate and key, loaded; None where TLS is off.

    Raises:
        BadInput: They cannot be used.
    """
    if chosen.tls_cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # An empty password, or OpenSSL would ask at the terminal.
        context.load_cert_chain(chosen.tls_cert, chosen.tls_key, password=lambda: "")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a PEM pair without password"
        raise BadInput(f"--tls-cert {chosen.tls_cert}, --tls-key {chosen.tls_key}: {reason}") from None
    return context


async def _serve(
    chosen: RelaySettings, model: Model, scope: Scope, listener: socket.socket, context: ssl.SSLContext | None
) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    # No access log: addresses and tokens stay out of it.
    runner = web.AppRunner(Relay(chosen, model, scope).app(), access_log=None)
    await runner.setup()
    try:
        await web.SockSite(runner, listener, ssl_context=context, shutdown_timeout=SHUTDOWN_TIMEOUT_S).start()
        print(f"clearcall: open {address(chosen, listener.getsockname()[1])}", flush=True)
        runs = f"model {model.name} in {' or '.join(model.costs)}"
        most = "one call" if chosen.max_sessions == 1 else f"up to {chosen.max_sessions} calls"
        print(f"clearcall: {runs}, {most} at a time; Ctrl-C stops", flush=True)
        print(f"clearcall: {scope.why}; {engine_line(model)}", flush=True)
        settle()
        await stop.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            # A second Ctrl-C ends at once.
            loop.remove_signal_handler(number)
        await runner.cleanup()
    return 0


def address(chosen: RelaySettings, port: int) -> str:
    """The address to open in a browser; the token is not shown, whoever set it knows it."""
    host = f"[{chosen.host}]" if ":" in chosen.host else chosen.host
    return f"{chosen.scheme}://{host}:{port}/" + ("?token=TOKEN" if chosen.token else "")
