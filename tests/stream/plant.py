"""A camera, a slot for the newest frame and a filter, simulated: what the governor does to the delay.

The filter takes what it is told to take; a graph's step goes with its area and with the cost of its precision.
"""

from __future__ import annotations

import bisect
import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stream.governor import State, Timing, begin, decide
from stream.ladder import Level, ladder

BUDGET = 0.033
LEVELS = ladder((256, 384, 512), {"fp32": 1.0, "int8": 0.6})
PASSING = len(LEVELS) - 1

RECORDED = Path(__file__).with_name("recorded_timings.csv")

Load = Callable[[float], tuple[float, float]]
"""Seconds to what a frame takes then outside the generator, and in a step of 512 px and cost 1."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A frame that came out."""

    at: float
    level: int
    delay: float


def steady(rest: float, step: float, noise: float = 0.15, seed: int = 1) -> Load:
    """Both seconds with log-normal noise."""
    rng = np.random.default_rng(seed)
    return lambda now: (rest * float(np.exp(rng.normal(0, noise))), step * float(np.exp(rng.normal(0, noise))))


def times(load: Load, factor: Callable[[float], float]) -> Load:
    """The same under a load that makes all so many times slower."""

    def slower(now: float) -> tuple[float, float]:
        rest, step = load(now)
        return rest * factor(now), step * factor(now)

    return slower


def recorded(speed: float = 1.0) -> Load:
    """A call of 20 s on two cores of an AMD EPYC next to a training; from 5 to 10 s two more processes computed.

    Made by `python -m benchmarks.busy_neighbour FILM --latency-budget 1s --alone 5 --busy 5`; as on a machine `speed`
    times as fast. It is played again and again.
    """
    with RECORDED.open(newline="", encoding="utf-8") as lines:
        rows = [tuple(float(text) for text in row) for row in list(csv.reader(lines))[1:]]
    began = [row[0] for row in rows]

    def at(now: float) -> tuple[float, float]:
        _, rest, step = rows[min(bisect.bisect(began, now % began[-1]), len(rows) - 1)]
        return rest / speed / 1e3, step / speed / 1e3

    return at


def run(
    load: Load,
    seconds: float,
    levels: Sequence[Level] = LEVELS,
    level: int = 0,
    budget: float = BUDGET,
    fps: float = 30.0,
    face: int = 512,
    still: bool = False,
) -> tuple[list[Shown], State]:
    """Frames that come out in that time.

    Args:
        load: What frames take.
        seconds: Of the camera.
        levels: The ladder.
        level: Where it begins.
        budget: Seconds.
        fps: Of the camera.
        face: Edge of the graph that the face asks for, px.
        still: Whether nothing moves: what may be used again is.
    """
    state, free, newest, reused = begin(levels, level, 0.0), 0.0, -1, 0
    before: int | None = None
    shown: list[Shown] = []
    while True:
        # The newest frame that is there when the filter is free; the next one where that was taken already.
        newest = max(int(free * fps), newest + 1)
        arrived = newest / fps
        if arrived >= seconds:
            return shown, state
        start = max(free, arrived)
        at = levels[state.level]
        rest, step = load(start)
        edge = min(face, at.size)
        engine = step * (edge / 512) ** 2 * at.cost
        reused = reused + 1 if at.reuse and still and reused < 2 else 0
        if reused:
            engine = 0.0
        if at.passes:
            rest = engine = 0.0
        free = start + rest + engine
        shown.append(Shown(start, state.level, free - arrived))
        since, missed = (0.0, 0) if before is None else ((newest - before) / fps, newest - before - 1)
        before = newest
        timing = Timing(free, start - arrived, rest + engine, engine, edge if engine else 0, since, missed)
        state = decide(state, levels, budget, timing)


def changes(shown: Sequence[Shown], since: float = 0.0) -> int:
    """How often the level changed."""
    levels = [s.level for s in shown if s.at >= since]
    return sum(a != b for a, b in zip(levels, levels[1:], strict=False))


def late(shown: Sequence[Shown], since: float, until: float, budget: float = BUDGET) -> float:
    """Share of the frames of that time that took longer than the budget."""
    of = [s.delay > budget for s in shown if since <= s.at < until]
    return sum(of) / len(of)
