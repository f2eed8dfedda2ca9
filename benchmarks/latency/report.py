"""What a run found: as JSON, and as lines for a terminal."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from benchmarks.latency import figures, told
from benchmarks.latency.options import Settings
from engines.self_timing import processor
from stream.restorer import STAGES as FILTER

STAGES = ("jitter buffer", "decode", "track", *FILTER, "encode", "send")
"""In the order of a frame's way through our relay; a relay may tell of others, too."""
RECEIVED = "caller's decode"
COUNTS = ("sent", "missing", "late", "repeated", "unreadable", "freezes")
SHARED = ("p50", "p95")
"""Quantiles that the filter's own delay is told at."""
Phases = Sequence[dict[str, dict[str, Any]]]


def load() -> float | None:
    """How many processes want to run, on average over the last minute; None where the system does not tell."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def machine() -> dict[str, Any]:
    """Where this runs, and how busy it is now."""
    return {"processor": processor(), "cores": os.cpu_count(), "load_before": load()}


def result(
    settings: Settings, callers: int, repeats: Phases, where: dict[str, Any], start_s: float | None
) -> dict[str, Any]:
    """A run as it goes into `--json`; `where` is the machine, `start_s` what the start of a relay of our own took."""
    return {
        "bench": "latency",
        "when": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "machine": where,
        "target": str(settings.target or f"a relay of our own, {' '.join(settings.relay_options)}"),
        "start_s": start_s,
        "settings": {
            **asdict(settings.shape),
            "shape": str(settings.shape),
            "on": settings.on,
            "off": settings.off,
            "callers": callers,
            "seconds": settings.seconds,
            "warm_up_s": settings.warm_up_s,
        },
        "repeats": list(repeats),
        "summary": {**summary(repeats), **burden(repeats, where["cores"])},
        "off": over(repeats, "off"),
        "stages": stages(repeats),
    }


def summary(repeats: Phases) -> dict[str, float | None]:
    """The figures with the filter on, and its own share of the delay."""
    own = {
        f"own_{name}": None if not (pairs := paired(repeats, name)) else round(median(a - b for a, b in pairs), 2)
        for name in SHARED
    }
    return {**over(repeats, "on"), **own, **added(repeats), "changed": least_changed(repeats)}


def added(repeats: Phases) -> dict[str, float | None]:
    """What the filter adds as the relay itself says, `added_p50` and `added_p95` in ms, medians over the repeats.

    Between decoder and encoder, so without what the filter costs these by keeping the processor busy.
    """
    found: dict[str, float | None] = {}
    for name, key in (("added_p50", "median"), ("added_p95", "p95")):
        said = [told.number(relay.get("added_ms"), key) for relay in _relays(repeats, "on")]
        known = [each for each in said if each is not None]
        found[name] = round(median(known), 2) if known else None
    return found


def burden(repeats: Phases, cores: int | None) -> dict[str, float | None]:
    """What the relay uses with the filter on, in per cent; None where its process is not known.

    `cpu` is the share of the machine's cores in the worst repeat, `memory` the growth from the first look to the last.
    """
    uses = [use for repeat in repeats if (use := repeat["on"]["processes"].get("relay"))]
    if not uses or not cores:
        return {"cpu": None, "memory": None}
    first, last = uses[0]["memory_first_mib"], uses[-1]["memory_last_mib"]
    return {
        "cpu": round(max(each["cpu_percent"] for each in uses) / cores, 2),
        "memory": round(100 * (last / first - 1), 2),
    }


def _relays(repeats: Phases, name: str) -> list[dict[str, Any]]:
    """What the relay told each caller of each repeat."""
    return [caller["relay"] for repeat in repeats if name in repeat for caller in repeat[name]["callers"]]


def over(repeats: Phases, name: str) -> dict[str, float | None]:
    """The figures of all repeats of a phase: delays and counts over all frames, the worst frame rate, else medians."""
    phases = [repeat[name] for repeat in repeats if name in repeat]
    if not phases:
        return {}
    delays = [delay for each in phases for caller in each["callers"] for _, delay in caller["delays"]]
    firsts = [each["first_picture_s"] for each in phases if each["first_picture_s"] is not None]
    drifts = [each["drift"] for each in phases if each["drift"] is not None]
    return {
        **{count: sum(each[count] for each in phases) for count in COUNTS},
        "frozen_s": round(sum(each["frozen_s"] for each in phases), 2),
        "fps": min(each["fps"] for each in phases),
        **figures.quantiles(delays),
        "drift": round(median(drifts), 2) if drifts else None,
        "first_picture_s": round(median(firsts), 2) if firsts else None,
        "source_late_p95": max((each["source_late_p95"] or 0.0 for each in phases), default=None),
    }


def paired(repeats: Phases, name: str) -> list[tuple[float, float]]:
    """A figure with the filter on and off, of each repeat that has both."""
    pairs = [(repeat["on"][name], repeat["off"][name]) for repeat in repeats if "off" in repeat]
    return [(on, off) for on, off in pairs if on is not None and off is not None]


def stages(repeats: Phases) -> list[dict[str, Any]]:
    """The way of a frame with the filter on: median and p95 of each stage, medians over the repeats."""
    times: dict[str, list[dict[str, float]]] = {name: [] for name in STAGES}
    for repeat in repeats:
        for caller in repeat["on"]["callers"]:
            for name, taken in caller["relay"].get("stages", {}).items():
                times.setdefault(name, []).append(taken)
        decoding = repeat["on"]["decoding"]
        if decoding["p50"] is not None:
            times.setdefault(RECEIVED, []).append({"median_ms": decoding["p50"], "p95_ms": decoding["p95"]})
    return [
        {"stage": name, **{key: round(median(each[key] for each in taken), 2) for key in ("median_ms", "p95_ms")}}
        for name, taken in times.items()
        if taken
    ]


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The report for a terminal."""
    settings, where = found["settings"], found["machine"]
    times = f"{len(found['repeats'])} x {settings['seconds']:g} s after {settings['warm_up_s']:g} s"
    yield f"{found['target']}: {settings['callers']} x {settings['shape']}, {settings['codec']}"
    yield f"{times}; {where['processor']}, {where['cores']} cores, load before {where['load_before']}"
    columns = {"on": found["summary"]} | ({"off": found["off"]} if found["off"] else {})
    yield ""
    yield f"{'delay, ms':<16}" + "".join(f"{name:>10}" for name in (*figures.QUANTILES, "drift/min"))
    for name, values in columns.items():
        yield f"{'filter ' + name:<16}" + "".join(f"{text(values[key]):>10}" for key in (*figures.QUANTILES, "drift"))
    for label, kind in shares(found):
        cells = [text(found["summary"][f"{kind}_{key}"]) if key in SHARED else "" for key in figures.QUANTILES]
        yield f"{label:<16}" + "".join(f"{cell:>10}" for cell in cells)
    yield ""
    heads = ("fps", *COUNTS, "frozen_s", "first_picture_s")
    yield f"{'frames':<16}" + "".join(f"{head:>{max(9, len(head) + 2)}}" for head in heads)
    for name, values in columns.items():
        yield f"{'filter ' + name:<16}" + "".join(f"{text(values[key]):>{max(9, len(key) + 2)}}" for key in heads)
    yield ""
    yield f"frames left the sender late by {text(found['summary']['source_late_p95'])} ms (p95, worst repeat)"
    yield from filtering(found)
    yield starting(found)
    for name, use in used(found["repeats"]).items():
        first, last = use["memory_first_mib"], use["memory_last_mib"]
        yield f"{name}: {use['cpu_percent']:.0f} % of a core, {first:.0f} MiB at first, {last:.0f} MiB in the end"
    yield from using(found["summary"])
    if found["stages"]:
        yield ""
        yield f"{'stage, ms':<16}{'median':>9}{'p95':>9}"
        for stage in found["stages"]:
            yield f"{stage['stage']:<16}{stage['median_ms']:>9.2f}{stage['p95_ms']:>9.2f}"
    yield from (f"missed: {line}" for line in found["missed"])


def shares(found: dict[str, Any]) -> list[tuple[str, str]]:
    """What is known of the filter's own delay: how it is headed, and what begins its names in the summary."""
    known = [("its own share", "own")] if found["off"] else []
    if found["summary"]["added_p50"] is not None:
        known.append(("the relay says", "added"))
    return known


def changed(repeats: Phases, name: str = "on") -> float | None:
    """Per cent of the counted frames that the filter changed; the others passed, for want of time or a face."""
    counts = [each for relay in _relays(repeats, name) if (each := relay.get("counted"))]
    return told.share({key: sum(each[key] for each in counts) for key in ("frames", "changed")}) if counts else None


def least_changed(repeats: Phases) -> float | None:
    """The same of the worst caller in the worst repeat; None where the relay did not tell all of them."""
    shares = [told.share(relay.get("counted")) for relay in _relays(repeats, "on")]
    known = [share for share in shares if share is not None]
    return min(known) if known and len(known) == len(shares) else None


def filtering(found: dict[str, Any]) -> Iterator[str]:
    """How much of the time the filter worked, where the relay tells: a filter that passes costs nothing."""
    repeats = found["repeats"]
    share, least = changed(repeats), least_changed(repeats)
    if share is not None:
        worst = f", of the worst caller's {least:.0f} %" if least is not None and least < share else ""
        yield f"the filter changed {share:.0f} % of the counted frames{worst}"
    if not found["off"]:
        return
    if share is None:
        yield "warning: the relay does not tell what its filter did, on or off: its own share may be of nothing"
    elif off := changed(repeats, "off"):
        yield f"warning: with the filter off it changed {off:.0f} % of the frames: the own share is not all of it"


def starting(found: dict[str, Any]) -> str:
    """A line on how long it takes until there is something to see."""
    cold, warm = first_pictures(found["repeats"])
    line = f"first picture: {text(cold)} s in the first call, {text(warm)} s later"
    start_s = found["start_s"]
    return line if start_s is None else f"{line}; before that the relay's start, {text(start_s)} s"


def using(summary: dict[str, float | None]) -> Iterator[str]:
    """A line on what the relay uses, where that is known."""
    if summary["cpu"] is not None:
        cpu, memory = text(summary["cpu"]), text(summary["memory"])
        yield f"relay: {cpu} % of the machine (worst repeat), memory grew by {memory} %"


def first_pictures(repeats: Phases) -> tuple[float | None, float | None]:
    """Seconds to the first picture: of the first call, which finds everything cold, and the median of the others."""
    called = [each["first_picture_s"] for repeat in repeats for each in repeat.values()]
    warm = [each for each in called[1:] if each is not None]
    return called[0], median(warm) if warm else None


def used(repeats: Phases) -> dict[str, dict[str, float]]:
    """By process, with the filter on: per cent of a core, and MiB of memory at the very first and in the very end."""
    found = {}
    for name in repeats[0]["on"]["processes"]:
        uses = [repeat["on"]["processes"][name] for repeat in repeats if repeat["on"]["processes"].get(name)]
        if uses:
            found[name] = {
                "cpu_percent": median(each["cpu_percent"] for each in uses),
                "memory_first_mib": uses[0]["memory_first_mib"],
                "memory_last_mib": uses[-1]["memory_last_mib"],
            }
    return found


def text(value: float | None) -> str:
    """A figure as it is shown."""
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.2f}"
