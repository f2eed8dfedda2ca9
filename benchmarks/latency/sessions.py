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

from benchmarks.latency import options, phase, report
from benchmarks.latency.command import make_plan, reached
from benchmarks.latency.limits import Limit, missed, parse_limits
from benchmarks.latency.options import Settings
from benchmarks.latency.search import largest
from engines.errors import BadInput, ClearcallError

REAL_TIME = "missing=1%,p95=150ms,changed=95%"
"""One frame in a hundred, the delay that a conversation does not feel (ITU-T G.114), and a filter that filters: a relay
that lets frames pass when it has no time carries any number of callers. A relay of others may not tell of that."""
MOST = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options; `run` checks them."""
    options.add_arguments(parser, "10")
    parser.add_argument("--most", default=str(MOST), metavar="N", help="callers to try at most (default: %(default)s)")
    parser.add_argument(
        "--budget", metavar="LIMITS", help=f"what each caller must see (default: {REAL_TIME.replace('%', '%%')})"
    )


def run(arguments: argparse.Namespace) -> int:
    """Search and print; returns the exit status.

    Raises:
        BadInput: An option is wrong.
        ClearcallError: A relay cannot be called.
    """
    settings = options.read(arguments)
    text = REAL_TIME if arguments.budget is None else arguments.budget
    limits, lenient = parse_limits(text), arguments.budget is None and settings.target is not None
    if any(limit.name.startswith("own") for limit in limits):
        raise BadInput("--budget: there is no own share here, the filter is always on")
    most = options.whole("--most", arguments.most, options.MAX_CALLERS)
    machine = report.machine()
    tried: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="clearcall-bench-") as name:
        plan = make_plan(settings, 1, Path(name))

        def holds(callers: int) -> bool:
            found: dict[str, Any] = {}
            try:
                found = asyncio.run(_measure(settings, replace(plan, callers=callers)))
                found |= report.burden([{"on": found}], machine["cores"])
                wrong = first_missed(found, applicable(limits, found) if lenient else limits)
            except ClearcallError as error:
                # One caller that cannot be served is a mistake; more are the answer.
                if callers == 1:
                    raise
                wrong = str(error)
            tried.append({"number": callers, "missed": wrong, **found})
            print(f"{callers} x {settings.shape}: {'yes' if wrong is None else f'no, {wrong}'}", flush=True)
            return wrong is None

        streams = largest(holds, most)
    print(f"{streams} stream{'' if streams == 1 else 's'} of {settings.shape}, {settings.shape.codec}")
    if arguments.json is not None:
        content = {
            "bench": "sessions",
            "when": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "machine": machine,
            "shape": str(settings.shape),
            "codec": settings.shape.codec,
            "budget": text,
            "latency_budget": settings.latency_budget,
            "precision": settings.precision,
            "streams": streams,
            "tried": tried,
        }
        options.write(arguments.json, "--json", json.dumps(content) + "\n")
    return 0


def first_missed(found: dict[str, Any], limits: Sequence[Limit]) -> str | None:
    """What the first of the callers misses whose figures miss a limit; None when all keep to all of them.

    What the relay uses is a figure of every caller's.
    """
    relay = {name: found.get(name) for name in ("cpu", "memory")}
    return next((line for caller in found["callers"] for line in missed(limits, {**caller, **relay})), None)


def applicable(limits: Sequence[Limit], found: dict[str, Any]) -> list[Limit]:
    """The limits without that of changed frames where the relay tells no caller of them."""
    told = any(caller["changed"] is not None for caller in found["callers"])
    return [limit for limit in limits if told or limit.name != "changed"]


async def _measure(settings: Settings, plan: phase.Plan) -> dict[str, Any]:
    async with reached(settings, plan.callers, plan.folder) as (target, pid, start_s):
        return {**await phase.run(plan, target, settings.on, pid), "start_s": start_s}
