"""From what was sent and what came to figures; pure functions over times in seconds on one clock."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

LATE_S = 0.4
"""A frame later than this is missing: no conversation bears more one way (ITU-T G.114)."""
FREEZE_FACTOR, FREEZE_PLUS_S, FREEZE_OVER = 3.0, 0.15, 30
"""A freeze is three times the mean of the last 30 pauses, and 150 ms more than it (webrtc-stats, freezeCount)."""
QUANTILES = {"p50": 50, "p90": 90, "p95": 95, "p99": 99, "max": 100}


class Sent(NamedTuple):
    """A frame that left."""

    stamp: int
    due: float
    """When it should have left at a fixed rate."""
    left: float


class Came(NamedTuple):
    """A frame that was decoded."""

    stamp: int | None
    """None where none could be read."""
    arrived: float
    """When its last packet was there."""
    decoded: float


@dataclass(frozen=True, slots=True)
class Window:
    """The time that counts."""

    begin: float
    end: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.begin

    def holds(self, time: float) -> bool:
        """Whether a time is in it."""
        return self.begin <= time < self.end


@dataclass(frozen=True, slots=True)
class Caller:
    """What one caller saw; frames count by when they were sent, pictures by when they were decoded."""

    sent: int
    missing: int
    """Frames that never came, or later than `LATE_S`."""
    late: int
    """Those of the missing that came after all."""
    repeated: int
    """Pictures that had been there already."""
    unreadable: int
    """Pictures without a stamp that can be trusted."""
    fps: float
    """New pictures a second."""
    freezes: int
    frozen_s: float
    delays: tuple[tuple[float, float], ...]
    """Of each frame that came: seconds since the window's begin at which it was sent, and milliseconds from its leaving
    the sender to its end of decoding."""
    decoding: tuple[float, ...]
    """Milliseconds from arrival to end of decoding, in the receiver."""
    source_late: tuple[float, ...]
    """Milliseconds by which frames left the sender late: the harness's own fault, not the relay's."""
    first_picture_s: float
    """From the call's beginning to the first picture with a stamp, decoded; infinite when there was none."""


def match(sent: Sequence[Sent], came: Sequence[Came]) -> list[int | None]:
    """For each frame that came the place in `sent` of the frame that it is; None where there is none.

    The clip goes round, so a stamp stands for many frames. A relay keeps their order: of the frames that had left
    by then, it is the first from the last match on, or, where there is none, the newest before it.
    """
    places: dict[int, list[int]] = defaultdict(list)
    for index, frame in enumerate(sent):
        places[frame.stamp].append(index)
    left = [frame.left for frame in sent]
    found: list[int | None] = []
    last = 0
    for picture in came:
        known = places.get(-1 if picture.stamp is None else picture.stamp, [])
        possible = known[: bisect_left(known, bisect_right(left, picture.arrived))]
        ahead = possible[bisect_left(possible, last) :]
        place = ahead[0] if ahead else possible[-1] if possible else None
        found.append(place)
        if place is not None:
            last = max(last, place)
    return found


def caller(began: float, sent: Sequence[Sent], came: Sequence[Came], window: Window) -> Caller:
    """One caller's figures.

    Args:
        began: When the call began.
        sent: Frames in the order they left.
        came: Pictures in the order they were decoded.
        window: The time that counts.
    """
    first_decoded: dict[int, float] = {}
    repeated = fresh = 0
    for place, picture in zip(match(sent, came), came, strict=True):
        if place is None:
            continue
        again = place in first_decoded
        first_decoded.setdefault(place, picture.decoded)
        if window.holds(picture.decoded):
            repeated += again
            fresh += not again
    counted = [(place, frame) for place, frame in enumerate(sent) if window.holds(frame.left)]
    delays = [
        (frame.left - window.begin, first_decoded[place] - frame.left)
        for place, frame in counted
        if place in first_decoded
    ]
    late = sum(delay > LATE_S for _, delay in delays)
    shown = [picture for picture in came if window.holds(picture.decoded)]
    pauses = freezes([picture.decoded for picture in came], window)
    readable = (picture.decoded for picture in came if picture.stamp is not None)
    return Caller(
        sent=len(counted),
        missing=len(counted) - len(delays) + late,
        late=late,
        repeated=repeated,
        unreadable=sum(picture.stamp is None for picture in shown),
        fps=fresh / window.seconds,
        freezes=len(pauses),
        frozen_s=sum(pauses),
        delays=tuple((since, 1000 * delay) for since, delay in delays),
        decoding=tuple(1000 * (picture.decoded - picture.arrived) for picture in shown),
        source_late=tuple(1000 * (frame.left - frame.due) for _, frame in counted),
        first_picture_s=next(readable, float("inf")) - began,
    )


def freezes(shown: Sequence[float], window: Window) -> list[float]:
    """Lengths of the freezes that ended within the window, or still go on at its end, seconds.

    After webrtc-stats (freezeCount, totalFreezesDuration); the mean is that of up to 30 pauses before.
    """
    found: list[float] = []
    before: list[float] = []
    times = [time for time in shown if time < window.end]
    for last, now in pairwise([*times, window.end]):
        pause = now - last
        mean = sum(before[-FREEZE_OVER:]) / len(before[-FREEZE_OVER:]) if before else None
        if mean is not None and pause >= max(FREEZE_FACTOR * mean, mean + FREEZE_PLUS_S) and now >= window.begin:
            found.append(pause)
        before.append(pause)
    return found


def quantiles(milliseconds: Sequence[float]) -> dict[str, float | None]:
    """p50, p90, p95, p99 and max; None each where there is nothing."""
    if not milliseconds:
        return dict.fromkeys(QUANTILES)
    values = np.percentile(milliseconds, list(QUANTILES.values()))
    return {name: round(float(value), 2) for name, value in zip(QUANTILES, values, strict=True)}


def drift(delays: Sequence[tuple[float, float]]) -> float | None:
    """How fast the delay grows, in milliseconds a minute, after Theil and Sen over the medians of each second.

    None for less than two seconds.
    """
    seconds: dict[int, list[float]] = defaultdict(list)
    for since, delay in delays:
        seconds[int(since)].append(delay)
    points = [(second, float(np.median(values))) for second, values in sorted(seconds.items())]
    slopes = [(b - a) / (t - s) for place, (s, a) in enumerate(points) for t, b in points[place + 1 :]]
    return round(60 * float(np.median(slopes)), 2) if slopes else None


def summary(callers: Sequence[Caller]) -> dict[str, float | None]:
    """The figures of some callers together: counts and delays over all, the frame rate of the worst."""
    return {
        "sent": sum(each.sent for each in callers),
        "fps": round(min((each.fps for each in callers), default=0.0), 2),
        "missing": sum(each.missing for each in callers),
        "late": sum(each.late for each in callers),
        "repeated": sum(each.repeated for each in callers),
        "unreadable": sum(each.unreadable for each in callers),
        "freezes": sum(each.freezes for each in callers),
        "frozen_s": round(sum(each.frozen_s for each in callers), 2),
        **quantiles([delay for each in callers for _, delay in each.delays]),
        "drift": _median([slope for each in callers if (slope := drift(each.delays)) is not None]),
        "first_picture_s": _median([each.first_picture_s for each in callers if np.isfinite(each.first_picture_s)]),
        "source_late_p95": quantiles([late for each in callers for late in each.source_late])["p95"],
    }


def _median(values: Sequence[float]) -> float | None:
    return round(float(np.median(values)), 2) if values else None
