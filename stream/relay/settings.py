"""What the relay was told on the command line, checked before anything is opened."""

from __future__ import annotations

import argparse
import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path

from engines.errors import BadInput
from engines.precision import AUTO, check_precision
from stream.budget import DEFAULT, read_budget

MAX_SESSIONS_LIMIT = 256
STUN_URL = re.compile(r"stuns?:(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings:
    """Settings of one relay; `read` makes a checked one."""

    host: str = "127.0.0.1"
    port: int = 8080
    """0 takes any free port."""
    model: str = "lite"
    max_sessions: int = 1
    token: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    stun: str | None = None
    engine: str = "auto"
    latency_budget_s: float = read_budget(DEFAULT)
    """What the filter may add to the delay."""
    precision: str = AUTO
    media_timeout_s: float = 15.0
    """A call that brings no picture for so long is ended."""

    @property
    def scheme(self) -> str:
        """The scheme of the page's address."""
        return "https" if self.tls_cert else "http"


def default_sessions(cores: int) -> int:
    """How many calls a machine is given when nobody says: two cores carry one 720p caller."""
    return max(1, cores // 2)


def is_loopback(host: str) -> bool:
    """Whether a listener on this host is reachable from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def read(arguments: argparse.Namespace) -> RelaySettings:
    """The settings in parsed arguments.

    Raises:
        BadInput: A value is out of range, or the relay would be open to the network without protection.
    """
    host = str(arguments.host).strip("[]")
    if not host or len(host) > 253:
        raise BadInput("--host needs a name or an address")
    token: str | None = arguments.token
    if token is not None and not (0 < len(token) <= 256 and token.isascii() and token.isprintable()):
        raise BadInput("--token needs 1 to 256 printable ASCII characters")
    stun: str | None = arguments.stun
    if stun is not None and (len(stun) > 256 or not STUN_URL.fullmatch(stun)):
        raise BadInput(f"--stun needs an address like stun:host:3478, not {stun[:80]!r}")
    cert, key = _file(arguments.tls_cert, "--tls-cert"), _file(arguments.tls_key, "--tls-key")
    if (cert is None) != (key is None):
        raise BadInput("--tls-cert and --tls-key go together")
    if not is_loopback(host) and token is None and cert is None:
        raise BadInput(f"--host {host} opens the relay to the network: add --token T or --tls-cert and --tls-key")
    wanted = arguments.max_sessions
    sessions = default_sessions(os.cpu_count() or 1) if wanted is None else _whole(wanted, "--max-sessions")
    if not 1 <= sessions <= MAX_SESSIONS_LIMIT:
        raise BadInput(f"--max-sessions must be 1 to {MAX_SESSIONS_LIMIT}, not {sessions}")
    port = _whole(arguments.port, "--port")
    if not 0 <= port <= 65535:
        raise BadInput(f"--port must be 0 to 65535, not {port}")
    return RelaySettings(
        host=host,
        port=port,
        model=str(arguments.model),
        max_sessions=sessions,
        token=token,
        tls_cert=cert,
        tls_key=key,
        stun=stun,
        engine=str(arguments.engine),
        latency_budget_s=read_budget(str(arguments.latency_budget)),
        precision=check_precision(str(arguments.precision)),
    )


def _whole(text: str, option: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadInput(f"{option} needs a whole number, not {str(text)[:80]!r}") from None


def _file(text: str | None, option: str) -> Path | None:
    if text is None:
        return None
    path = Path(text)
    if not path.is_file():
        raise BadInput(f"{option}: no file {text}")
    return path
