"""The processes that take part: a relay of our own to measure, and what each process uses."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from engines.errors import ClearcallError

START_S = 120.0
STOP_S = 10.0


class Started(NamedTuple):
    """A relay of our own."""

    address: str
    pid: int
    start_s: float
    """From the process's start to its telling its address: from then on it takes calls."""


@dataclass(frozen=True, slots=True)
class Use:
    """What a process has used so far."""

    time: float
    """When it was looked at, seconds."""
    cpu_s: float
    """Processor time."""
    memory: int
    """Bytes that lie in memory."""


@contextlib.asynccontextmanager
async def relay(options: Sequence[str], sessions: int, folder: Path) -> AsyncIterator[Started]:
    """A relay of our own, on a free port, with more options for `clearcall relay`.

    Raises:
        ClearcallError: It did not start.
    """
    command = ("-m", "stream.cli", "relay", "--port", "0", *options, "--max-sessions", str(sessions))
    log = folder / "relay.log"
    began = time.monotonic()
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=errors, start_new_session=True
        )
    try:
        assert process.stdout is not None
        try:
            async with asyncio.timeout(START_S):
                line = (await process.stdout.readline()).decode()
        except TimeoutError:
            line = ""
        if not line:
            said = log.read_text(errors="replace").split("\n")
            raise ClearcallError(f"the relay did not start: {next((each for each in reversed(said) if each), '')}")
        yield Started(line.split()[-1], process.pid, round(time.monotonic() - began, 2))
    finally:
        await stop(process)


async def stop(process: asyncio.subprocess.Process) -> None:
    """End a process, by force if it does not go by itself."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def look(pid: int, now: float) -> Use | None:
    """What a process has used until `now`; None where the system does not tell (only Linux does), or it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return Use(now, processor_ticks(stat) / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE"))


def processor_ticks(stat: str) -> int:
    """User and system time in a line of `/proc/PID/stat`; the name in it may hold spaces and brackets."""
    fields = stat.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def usage(looks: Sequence[Use]) -> dict[str, float] | None:
    """Share of one core in per cent, and memory in MiB at the beginning, at the end and at most; None for one look."""
    if len(looks) < 2:
        return None
    first, last = looks[0], looks[-1]
    return {
        "cpu_percent": round(100 * (last.cpu_s - first.cpu_s) / (last.time - first.time), 1),
        "memory_first_mib": round(first.memory / 2**20, 1),
        "memory_last_mib": round(last.memory / 2**20, 1),
        "memory_max_mib": round(max(each.memory for each in looks) / 2**20, 1),
    }
