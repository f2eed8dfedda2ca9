"""The control socket: one JSON object a line in, one back; for this user alone, and bounded."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from engines.errors import BadInput, ClearcallError
from stream.webcam.switch import Switch
from stream.wishes import check_prompt, check_strength

MAX_LINE = 2048
"""Bytes of a request."""
MAX_ANSWER = 65536
TIMEOUT_S = 2.0
"""For a client that connects and says nothing; one is served at a time."""
POSSIBLE = hasattr(socket, "AF_UNIX") and hasattr(os, "getuid")
"""Not on Windows: there a webcam that runs cannot be changed."""
KEYS = {"on", "toggle", "prompt", "strength"}


def socket_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the socket is: in the session's own folder, or in one of this user's below the temporary one.

    Raises:
        BadInput: This system has no such sockets.
    """
    if not POSSIBLE:
        raise BadInput("a webcam that runs cannot be asked on this system: start it with other options")
    base = environment.get("XDG_RUNTIME_DIR")
    return (Path(base) if base else Path(tempfile.gettempdir()) / f"clearcall-{os.getuid()}") / "clearcall-webcam"


def apply(request: bytes, switch: Switch) -> None:
    """Do what a line asks: `{"toggle": true}`, `{"on": …, "prompt": …, "strength": …}` or `{}` for nothing.

    Raises:
        BadInput: It is no such request; nothing was changed.
    """
    try:
        value = json.loads(request)
    except (ValueError, RecursionError):
        raise BadInput("the request is not JSON") from None
    if not isinstance(value, dict) or not value.keys() <= KEYS:
        raise BadInput(f"a request is an object with some of {', '.join(sorted(KEYS))}")
    for name in ("on", "toggle"):
        if not isinstance(value.get(name, True), bool):
            raise BadInput(f"{name} must be true or false")
    prompt = check_prompt(value["prompt"]) if "prompt" in value else None
    strength = check_strength(value["strength"]) if "strength" in value else None
    switch.change(prompt, strength)
    if "on" in value:
        switch.turn(value["on"])
    if value.get("toggle"):
        switch.toggle()


def ask(request: Mapping[str, object], path: Path) -> dict[str, object]:
    """Send one request to the webcam that runs.

    Raises:
        ClearcallError: None runs, or it does not answer.
        BadInput: It refused.
    """
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(TIMEOUT_S)
            client.connect(str(path))
            client.sendall(json.dumps(request).encode() + b"\n")
            answer = json.loads(_line(client, MAX_ANSWER))
    except (FileNotFoundError, ConnectionRefusedError):
        raise ClearcallError("no clearcall webcam runs") from None
    except (OSError, ValueError) as error:
        raise ClearcallError(f"the clearcall webcam does not answer: {error}") from None
    if not isinstance(answer, dict):
        raise ClearcallError("the clearcall webcam gave a strange answer")
    if "error" in answer:
        raise BadInput(str(answer["error"]))
    return answer


def _line(connection: socket.socket, most: int) -> bytes:
    """One line; what is longer is not read to its end."""
    data = b""
    while b"\n" not in data and len(data) <= most:
        part = connection.recv(4096)
        if not part:
            break
        data += part
    if len(data) > most:
        raise ValueError(f"a line may have {most} bytes")
    return data.split(b"\n")[0]


@contextlib.contextmanager
def answering(listener: socket.socket, switch: Switch, state: Callable[[], dict[str, object]]) -> Iterator[None]:
    """Answer requests with `state()`, in a thread that has ended afterwards, unless a caller keeps it `TIMEOUT_S`."""
    ended = threading.Event()

    def answer(connection: socket.socket) -> dict[str, object]:
        try:
            apply(_line(connection, MAX_LINE), switch)
        except (BadInput, ValueError) as error:
            return {"error": str(error)}
        return state()

    def serve() -> None:
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(TIMEOUT_S)
                connection.sendall(json.dumps(answer(connection)).encode() + b"\n")

    thread = threading.Thread(target=serve, name="clearcall-control", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as caller:
            # Wakes the thread. The listener is not shut down yet: a second webcam would take its place too early.
            caller.settimeout(TIMEOUT_S)
            caller.connect(listener.getsockname())
        thread.join(TIMEOUT_S)


@contextlib.contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """A listening socket, removed in the end; ClearcallError as for `listen`."""
    listener = listen(path)
    try:
        yield listener
    finally:
        path.unlink(missing_ok=True)
        listener.close()


def listen(path: Path) -> socket.socket:
    """A listening socket that only this user may connect to; one left behind by a killed webcam is replaced.

    Raises:
        ClearcallError: Another webcam runs, or the folder is not this user's own.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = path.parent.stat()
    if owner.st_uid != os.getuid() or stat.S_IMODE(owner.st_mode) & 0o022:
        raise ClearcallError(f"{path.parent} can be written to by others: set XDG_RUNTIME_DIR to a folder of your own")
    with socket.socket(socket.AF_UNIX) as other:
        try:
            other.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
        else:
            raise ClearcallError("another clearcall webcam runs (clearcall webcam --toggle switches it)")
    listener = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
        listener.listen(4)
    except OSError as error:
        listener.close()
        raise ClearcallError(f"cannot listen at {path}: {error.strerror}") from None
    finally:
        os.umask(mask)
    return listener
