"""`clearcall bench sessions`: how many callers at once a machine serves in real time, found by search."""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.latency import budget, options, phase, report
from benchmarks.latency.budget import Limit
from benchmarks.latency.command import make_plan, reached
from benchmarks.latency.options import Settings
from benchmarks.latency.search import largest
from engines.errors import BadInput

REAL_TIME = "missing=1%,p95=150ms"
"""One frame in a hundred, and the delay that a conversation does not feel (ITU-T G.114)."""
MOST = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options; `run` checks them."""
    options.add_arguments(parser, "10")
    parser.add_argument("--most", default=str(MOST), metavar="N", help="callers to try at most (default: %(default)s)")
    parser.add_argument(
        "--budget", default=REAL_TIME, metavar="LIMITS", help="what each caller must see (default: %(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Search and print; returns the exit status.

    Raises:
        BadInput: An option is wrong.
        ClearcallError: A relay cannot be called.
    """
    settings = options.read(arguments)
    limits = budget.parse(arguments.budget)
    if any(limit.name.startswith("own") for limit in limits):
        raise BadInput("--budget: there is no own share here, the filter is always on")
    most = options.whole("--most", arguments.most, options.MAX_CALLERS)
    machine = report.machine()
    tried: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="clearcall-bench-") as name:
        plan = make_plan(settings, 1, Path(name))

        def holds(callers: int) -> bool:
            found = asyncio.run(_measure(settings, replace(plan, callers=callers)))
            missed = first_missed(found["callers"], limits)
            tried.append({"number": callers, "missed": missed, **found})
            print(f"{callers} x {settings.shape}: {'yes' if missed is None else f'no, {missed}'}", flush=True)
            return missed is None

        streams = largest(holds, most)
    print(f"{streams} stream{'' if streams == 1 else 's'} of {settings.shape}, {settings.shape.codec}")
    if arguments.json is not None:
        content = {
            "bench": "sessions",
            "when": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "machine": machine,
            "shape": str(settings.shape),
            "codec": settings.shape.codec,
            "budget": arguments.budget,
            "streams": streams,
            "tried": tried,
        }
        options.write(arguments.json, "--json", json.dumps(content) + "\n")
    return 0


def first_missed(callers: Sequence[dict[str, Any]], limits: Sequence[Limit]) -> str | None:
    """What the first of the callers misses whose figures miss a limit; None when all keep to all of them."""
    return next((line for caller in callers for line in budget.missed(limits, caller)), None)


async def _measure(settings: Settings, plan: phase.Plan) -> dict[str, Any]:
    async with reached(settings, plan.callers, plan.folder) as (target, pid):
        return await phase.run(plan, target, settings.on, pid)
