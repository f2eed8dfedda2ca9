"""`clearcall bench latency`: what a call through a relay costs, with its filter on and off in turns."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.latency import clip, compare, html, options, phase, processes, report
from benchmarks.latency.limits import missed, parse_limits
from benchmarks.latency.options import Settings
from benchmarks.latency.signalling import Target, read_target
from engines.errors import BadInput

MAX_REPEATS = 1000


class Reached(NamedTuple):
    """A relay that can be called."""

    target: Target
    pid: int | None
    """Its process, where it is known."""
    start_s: float | None
    """What its start took, where we started it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options; `run` checks them."""
    options.add_arguments(parser, "10")
    parser.add_argument("--sessions", default="1", metavar="N", help="callers at once (default: %(default)s)")
    parser.add_argument("--repeat", default="3", metavar="N", help="times, on and off each (default: %(default)s)")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a report with diagrams here")
    parser.add_argument("--budget", metavar="LIMITS", help="p95=50ms,missing=0: exit status 1 where they are missed")
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("A", "B"), help="judge two --json files instead")


def run(arguments: argparse.Namespace) -> int:
    """Measure or compare, and print; returns the exit status.

    Raises:
        BadInput: An option is wrong.
        ClearcallError: A relay cannot be called.
    """
    if arguments.compare is not None:
        print("\n".join(compare.lines(*(compare.read(path) for path in arguments.compare))))
        return 0
    settings = options.read(arguments)
    limits = [] if arguments.budget is None else parse_limits(arguments.budget)
    if settings.off is None and any(limit.name.startswith("own") for limit in limits):
        raise BadInput("--budget: the filter's own share needs --off")
    callers = options.whole("--sessions", arguments.sessions, options.MAX_CALLERS)
    repeats = options.whole("--repeat", arguments.repeat, MAX_REPEATS)
    options.check_target(arguments.html, "--html")
    result = asyncio.run(_measure(settings, callers, repeats))
    result["missed"] = missed(limits, result["summary"])
    if arguments.json is not None:
        options.write(arguments.json, "--json", json.dumps(result) + "\n")
    if arguments.html is not None:
        options.write(arguments.html, "--html", html.page(result))
    print("\n".join(report.lines(result)))
    return 1 if result["missed"] else 0


async def _measure(settings: Settings, callers: int, repeats: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="clearcall-bench-") as name:
        folder = Path(name)
        plan = make_plan(settings, callers, folder)
        where = report.machine()
        async with reached(settings, callers, folder) as (target, pid, start_s):
            done = []
            for repeat in range(repeats):
                wanted = {"on": settings.on} | ({} if settings.off is None else {"off": settings.off})
                # Turn about, so that a machine that slows down meanwhile favours neither.
                names = list(wanted)[:: -1 if repeat % 2 else 1]
                done.append({name: await phase.run(plan, target, wanted[name], pid) for name in names})
    return report.result(settings, callers, done, where, start_s)


def make_plan(settings: Settings, callers: int, folder: Path) -> phase.Plan:
    """Prepare the clip."""
    shape = settings.shape
    path = folder / f"clip.{shape.codec}"
    clip.prepare(settings.recording, shape, path)
    return phase.Plan(path, shape.codec, shape.fps, callers, settings.warm_up_s, settings.seconds, folder)


@contextlib.asynccontextmanager
async def reached(settings: Settings, callers: int, folder: Path) -> AsyncIterator[Reached]:
    """The target, or a relay of our own."""
    if settings.target is not None:
        yield Reached(settings.target, settings.pid, None)
        return
    async with processes.relay(settings.relay_options, callers, folder) as started:
        own = read_target(started.address, None, None, None)
        assert own is not None
        yield Reached(own, started.pid, started.start_s)
