"""Keeps the delay inside its budget, and all frames: quality goes down at once where time is short, up with care.

Control by the upper quantiles of what frames took lately, as adaptive bitrate players do with their buffers (Huang et
al., 2014), and trials that wait twice as long after each failure, as TCP's retransmissions do (RFC 6298, 5.5).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from stream.ladder import Level, ladder
from stream.models import Model

SOON_S, SOON_FEWEST, SOON_SHARE = 0.4, 6, 1 / 3
"""How far back it is looked for a load that has begun, at how many frames at least, and which share may be late."""
LONG_FEWEST, LONG_SHARE = 20, 0.15
"""The same for one that is just too much, over `CALM_S`."""
LAST_RESORT = 2.0
"""Times as long, and as large a share: what it takes to let frames pass. Below the last level that restores nothing is
cured that another program's turns on the processor do, and a picture that comes and goes is worse than one late."""
SEVERE, SEVERE_S, SEVERE_FRAMES = 1.5, 0.25, 3
"""Frames in a row that take so many times the budget are enough by themselves: three, or two of so many seconds."""
FITS = 0.9
"""Share of the budget, and of the time from frame to frame, that a lower level may be expected to take."""
MOST_FRAMES = 0.85
"""Share of the frames by which it is expected what another level takes."""
ROOM = 0.5
"""Share of the budget that a higher level may be expected to take: the rest is for hiccups, and for a machine that
other programs use as well. A larger graph shows more than the one below, but no other face."""
CALM_S, CALM_FEWEST = 1.5, 5
"""For how long all has to be well before a higher level is tried, and how many frames say so."""
FIRST_CALM_S = 0.3
"""The same at the start of a call, which begins low, until time is short for the first time."""
TRIAL_S, PROVEN_S = 20.0, 60.0
"""A level that is left again so soon has failed; one that was kept so long has not."""
FIRST_WAIT_S, LONGEST_WAIT_S = 2.0, 64.0
"""Before a level that was left is tried again; twice as long after each failure, half after each success."""
KEPT = 120
"""Frames that are looked at at most, whatever the source's rate."""


@dataclass(frozen=True, slots=True)
class Timing:
    """What one frame took; seconds."""

    at: float
    """When it was done, on a steady clock"""
    waited: float
    """For the filter, which was still at the frame before"""
    taken: float
    """In the filter"""
    engine: float = 0.0
    """of that, in the generator; 0 where it did not run"""
    edge: int = 0
    """Of the graph that ran, px; 0 where none did"""
    since: float = 0.0
    """Since the last frame that was filtered had come; 0 where nothing is known of the source's pace"""
    missed: int = 0
    """Frames that came in between, and found no room"""

    @property
    def delay(self) -> float:
        """What the filter added."""
        return self.waited + self.taken


@dataclass(frozen=True, slots=True)
class State:
    """What the decision depends on; `begin` makes the first."""

    level: int
    """Place on the ladder, 0 is the best."""
    since: float
    """When it was taken."""
    waits: tuple[float, ...]
    """For each level, how long it is left alone after it was left."""
    free: tuple[float, ...]
    """For each level, from when on it may be tried again."""
    rose: bool = False
    """Whether this level was reached from below: then it is a trial."""
    unsettled: int = 1
    """Frames that do not count: they pay for the change itself."""
    recent: tuple[Timing, ...] = ()
    """At this level."""
    unit: float = 0.0
    """Seconds of the generator per pixel and `Level.cost`, upper quartile when it was last seen."""
    down: int = 0
    """Steps so far"""
    up: int = 0


def begin(levels: Sequence[Level], level: int, now: float) -> State:
    """The state at the start of a call."""
    return State(level, now, (FIRST_WAIT_S,) * len(levels), (now,) * len(levels))


def decide(state: State, levels: Sequence[Level], budget: float, timing: Timing) -> State:
    """The state after a frame; its level is for the next one.

    Args:
        state: As the last frame left it.
        levels: The best first; the last one lets frames pass.
        budget: Seconds that the filter may add.
        timing: Of a frame that the generator ran for or was spared for, or that was let pass at the last level.
    """
    if state.unsettled:
        return replace(state, unsettled=state.unsettled - 1)
    recent = tuple(t for t in state.recent if timing.at - t.at <= CALM_S)[1 - KEPT :]
    state = replace(state, recent=(*recent, timing))
    level = levels[state.level]
    units = [t.engine / (t.edge**2 * level.cost) for t in state.recent if t.engine]
    if units:
        state = replace(state, unit=quantile(units, 0.75))
    if level.passes:
        return _up(state, timing.at) if timing.at >= state.free[state.level - 1] else state
    severe, pace = is_severe(state.recent, budget), min(budget, interval(state.recent))
    if levels[state.level + 1].passes:
        # Fewer frames, restored, are what a larger budget was given for.
        late = is_late(state.recent, budget, math.inf, LAST_RESORT)
    else:
        late = is_late(state.recent, budget, pace)
    if severe or late:
        return _down(state, _lower(state, levels, pace, severe), timing.at)
    return _up(state, timing.at) if _has_room(state, levels, budget, timing.at) else state


def interval(recent: Sequence[Timing]) -> float:
    """Seconds from one frame of the source to the next, those that found no room included; endless where unknown."""
    known = [t for t in recent if t.since > 0]
    return sum(t.since for t in known) / sum(t.missed + 1 for t in known) if known else math.inf


def is_severe(recent: Sequence[Timing], budget: float) -> bool:
    """Whether the last frames, one after the other, took far longer than the budget."""
    slow = list(itertools.takewhile(lambda t: t.taken > SEVERE * budget, reversed(recent)))
    return len(slow) >= SEVERE_FRAMES or (len(slow) >= 2 and sum(t.taken for t in slow) >= SEVERE_S)


def is_late(recent: Sequence[Timing], budget: float, pace: float = math.inf, patience: float = 1.0) -> bool:
    """Whether too many of the last frames were late by the budget, or took longer than the source's pace allows.

    With patience, for longer and more of them.
    """
    soon = last(recent, patience * SOON_S)
    if len(soon) >= patience * SOON_FEWEST and _late(soon, budget, pace) > SOON_SHARE * len(soon):
        return True
    return len(recent) >= LONG_FEWEST and _late(recent, budget, pace) > patience * LONG_SHARE * len(recent)


def _late(frames: Sequence[Timing], budget: float, pace: float) -> int:
    late = 0
    for before, now in zip((None, *frames), frames, strict=False):
        # One hiccup must not count twice: who had to wait for it is excused.
        excused = before is not None and before.taken > budget and now.taken <= budget
        late += now.taken > pace or (now.delay > budget and not excused)
    return late


def last(recent: Sequence[Timing], seconds: float = SOON_S) -> Sequence[Timing]:
    """The frames that say whether time is short now."""
    soon = [t.at >= recent[-1].at - seconds for t in recent]
    return recent[min(soon.index(True), max(0, len(recent) - SOON_FEWEST)) :]


def _lower(state: State, levels: Sequence[Level], pace: float, severe: bool) -> int:
    """The best level below that is expected to fit.

    Where none is: the last that restores if it is urgent, else the next, since hiccups are not cured by lower quality;
    below the last that restores, the last.
    """
    lowest = len(levels) - 2
    for place in range(state.level + 1, lowest):
        if _expected(state, levels, place, last(state.recent), MOST_FRAMES) <= FITS * pace:
            return place
    return lowest if severe and state.level < lowest else state.level + 1


def _has_room(state: State, levels: Sequence[Level], budget: float, now: float) -> bool:
    higher = state.level - 1
    if higher < 0 or now < max(state.free[higher], state.since + (CALM_S if state.down else FIRST_CALM_S)):
        return False
    if len(state.recent) < CALM_FEWEST or not state.unit:
        return False
    most = min(ROOM * budget, FITS * interval(state.recent))
    return _expected(state, levels, higher, state.recent, MOST_FRAMES) <= most


def _expected(state: State, levels: Sequence[Level], place: int, frames: Sequence[Timing], share: float) -> float:
    """What a frame would take in the filter at another level, by the quantile `share` of frames at this one."""
    here, there = levels[state.level], levels[place]
    edge = max(t.edge for t in frames)
    # A face for which the graph need not be so large anyway gets it no larger, whatever the level.
    edge = there.size if edge in (0, here.size) else min(edge, there.size)
    rest = quantile([t.taken - t.engine for t in frames], share)
    units = [t.engine / (t.edge**2 * here.cost) for t in frames if t.engine] or [state.unit]
    return rest + quantile(units, share) * edge**2 * there.cost


def _down(state: State, level: int, now: float) -> State:
    kept = now - state.since
    factor = 2.0 if state.rose and kept < TRIAL_S else 0.5 if kept > PROVEN_S else 1.0
    waits, free = list(state.waits), list(state.free)
    for place in range(state.level, level):
        waits[place] = min(max(factor * waits[place], FIRST_WAIT_S), LONGEST_WAIT_S)
        free[place] = max(free[place], now + waits[place])
    return replace(
        state, level=level, since=now, waits=tuple(waits), free=tuple(free), rose=False, unsettled=1, recent=(),
        down=state.down + 1,
    )  # fmt: skip


def _up(state: State, now: float) -> State:
    return replace(state, level=state.level - 1, since=now, rose=True, unsettled=1, recent=(), up=state.up + 1)


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Governor:
    """The decision with its state; frames' times from one thread, figures to any."""

    def __init__(self, levels: Sequence[Level], budget: float, now: float, start: int = 0) -> None:
        """Begin at the level at place `start` on the ladder."""
        self.levels, self.budget = tuple(levels), budget
        self._state = begin(levels, start, now)
        self._frames = [0] * len(self.levels)
        self._usual = start

    @property
    def level(self) -> Level:
        """For the next frame."""
        return self.levels[self._state.level]

    def took(self, timing: Timing) -> None:
        """Count a frame, and decide anew."""
        self._frames[self._state.level] += 1
        self._state = decide(self._state, self.levels, self.budget, timing)

    def figures(self) -> dict[str, object]:
        """Level, the one it began at, steps so far, and frames by level."""
        state, level = self._state, self.level
        return {
            "budget_ms": round(1000 * self.budget, 1),
            "level": state.level,
            "usual": self._usual,
            "lowest": len(self.levels) - 1,
            "name": level.name,
            "passing": level.passes,
            "steps": {"down": state.down, "up": state.up},
            "frames": {each.name: n for each, n in zip(self.levels, self._frames, strict=True) if n},
        }


def govern(model: Model, budget: float, now: float, whole: bool = False) -> Governor:
    """A governor for one stream restored by this model; begins with the smallest graph in the cheapest precision.

    So nothing is late while a call begins, and more is spent as soon as it is known what that takes here. With `whole`
    that is known: the frame's tiles were timed, go with the largest graph, and are there without a face, too.
    """
    levels = ladder(tuple(model.engines), model.costs)
    return Governor(levels, budget, now, len(model.costs) - 1 if whole else sum(level.full for level in levels) - 1)
