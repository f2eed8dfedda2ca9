"""One phase of a run: some callers at once, each a sender and a receiver, and what they saw."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.latency import figures, processes, told
from benchmarks.latency.figures import Came, Sent, Window
from benchmarks.latency.sender import Order
from benchmarks.latency.signalling import CONNECT_S, Target
from engines.errors import ClearcallError

FIRST_PICTURE_S = 2 * CONNECT_S
LOOK_EVERY_S = 1.0
END_S = 20.0
"""What a sender and a receiver may take to hang up and write their logs."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is the same for all phases of a run."""

    clip: Path
    codec: str
    fps: int
    callers: int
    warm_up_s: float
    seconds: float
    folder: Path
    """For logs."""


@dataclass(slots=True)
class _Pair:
    sender: asyncio.subprocess.Process
    receiver: asyncio.subprocess.Process
    log: Path
    """The sender's; the receiver's has `.came` at its end."""


async def run(plan: Plan, target: Target, query: str, relay_pid: int | None) -> dict[str, Any]:
    """Call, warm up, measure, hang up; the figures, ready for JSON.

    Raises:
        ClearcallError: A call did not come about, or ended early.
    """
    async with contextlib.AsyncExitStack() as stack:
        pairs = [await stack.enter_async_context(_pair(plan, target, query, place)) for place in range(plan.callers)]
        await asyncio.gather(*(_first_picture(pair) for pair in pairs))
        begin = time.monotonic() + plan.warm_up_s
        window = Window(begin, begin + plan.seconds)
        for pair in pairs:
            await _tell(pair, f"{window.end + figures.LATE_S}\n")
        pids = {"sender": pairs[0].sender.pid, "receiver": pairs[0].receiver.pid}
        used = await _watch(pids | ({} if relay_pid is None else {"relay": relay_pid}), window)
        logs = [await _end(pair) for pair in pairs]
    return _figures(logs, window, used)


@contextlib.asynccontextmanager
async def _pair(plan: Plan, target: Target, query: str, place: int) -> Any:
    """Start a sender and a receiver with a pipe between them; they are ended in the end."""
    log = plan.folder / f"caller-{place}"
    for old in (log, log.with_suffix(".came")):
        old.unlink(missing_ok=True)
    source, sink = os.pipe()
    try:
        sender = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.latency.sender"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[sink],
            # Ctrl-C ends the harness, and the harness them.
            start_new_session=True,
        )
        receiver = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.latency.receiver", plan.codec, str(log.with_suffix(".came"))),
            stdin=source,
            start_new_session=True,
        )
    finally:
        os.close(source)
        os.close(sink)
    made = _Pair(sender, receiver, log)
    try:
        await _tell(made, Order(str(plan.clip), plan.codec, plan.fps, target, query, sink, str(log)).line())
        yield made
    finally:
        for process in (sender, receiver):
            if process.returncode is None:
                await processes.stop(process)


async def _tell(pair: _Pair, line: str) -> None:
    assert pair.sender.stdin is not None
    with contextlib.suppress(ConnectionError):
        pair.sender.stdin.write(line.encode())
        await pair.sender.stdin.drain()


async def _first_picture(pair: _Pair) -> None:
    assert pair.sender.stdout is not None
    try:
        async with asyncio.timeout(FIRST_PICTURE_S):
            said = json.loads(await pair.sender.stdout.readline() or "{}")
    except TimeoutError:
        raise ClearcallError(f"no picture came back within {FIRST_PICTURE_S:g} s") from None
    if "picture" not in said:
        raise ClearcallError(said.get("error", "the sender ended before a picture came back"))


async def _watch(pids: dict[str, int], window: Window) -> dict[str, dict[str, float] | None]:
    """What each process uses within the window."""
    looks: dict[str, list[processes.Use]] = {name: [] for name in pids}
    due = window.begin
    while True:
        await asyncio.sleep(due - time.monotonic())
        for name, pid in pids.items():
            if (use := processes.look(pid, time.monotonic())) is not None:
                looks[name].append(use)
        if due >= window.end:
            return {name: processes.usage(seen) for name, seen in looks.items()}
        due = min(due + LOOK_EVERY_S, window.end)


async def _end(pair: _Pair) -> dict[str, Any]:
    """Wait for the logs."""
    assert pair.sender.stdout is not None
    try:
        async with asyncio.timeout(END_S):
            said = await pair.sender.stdout.readline()
            if await pair.sender.wait():
                raise ClearcallError(json.loads(said or "{}").get("error", "a sender ended early"))
            if await pair.receiver.wait():
                raise ClearcallError("a receiver ended early")
    except TimeoutError:
        raise ClearcallError(f"a caller did not end within {END_S:g} s") from None
    log: dict[str, Any] = json.loads(pair.log.read_text())
    return {**log, "came": json.loads(pair.log.with_suffix(".came").read_text())}


def _figures(logs: list[dict[str, Any]], window: Window, used: dict[str, dict[str, float] | None]) -> dict[str, Any]:
    callers = [
        figures.caller(
            log["began"], [Sent(*each) for each in log["sent"]], [Came(*each) for each in log["came"]], window
        )
        for log in logs
    ]
    decoding = figures.quantiles([taken for each in callers for taken in each.decoding])
    relays = [told.relay(told.read(log["told"]), window) for log in logs]
    return {
        **figures.summary(callers),
        "decoding": decoding,
        "callers": [
            {
                **figures.summary([each]),
                "changed": told.share(relay.get("counted")),
                "delays": [[round(since, 3), round(delay, 2)] for since, delay in each.delays],
                "relay": relay,
            }
            for each, relay in zip(callers, relays, strict=True)
        ],
        "processes": used,
    }
