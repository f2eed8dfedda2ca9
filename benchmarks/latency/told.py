"""What a relay tells of itself while a call goes on, cut down to the time that counts; pure functions.

A relay tells of its counts since a call began, and of each stage's times over the whole call and over the last frames
(`stream/timing.py`). It may be anybody's, so whatever is not understood is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from benchmarks.latency.figures import Window

TIMES = ("median_ms", "p95_ms")
Told = Sequence[tuple[float, dict[str, Any]]]
"""When each message came, on the machine's monotonic clock, and the figures in it."""


def figures_in(message: str | bytes) -> dict[str, Any]:
    """The figures in a message on the data channel; empty where there are none."""
    try:
        value = json.loads(message)
    except ValueError:
        return {}
    figures = value.get("figures") if isinstance(value, dict) else None
    return figures if isinstance(figures, dict) else {}


def read(messages: Iterable[tuple[float, str]]) -> Told:
    """The messages that have figures in them."""
    return [(time, figures) for time, text in messages if (figures := figures_in(text))]


def relay(told: Told, window: Window) -> dict[str, Any]:
    """The last figures, with `counted`, what was counted within the window, and the stage times of the window."""
    if not told:
        return {}
    return {**told[-1][1], "stages": stages(told, window), "counted": counted(told, window)}


def counted(told: Told, window: Window) -> dict[str, int] | None:
    """Frames that the filter had, and those of them that it changed; None where the relay does not tell.

    Counted from the first message within the window on, so nothing of the warm-up is in it. Frames that went past a
    filter which had stalled are frames that it did not change.
    """
    within = [figures for time, figures in told if time >= window.begin]
    if len(within) < 2:
        return None
    first, last = within[0], within[-1]
    frames, changed, bypassed = (
        None if (a := number(first, key)) is None or (b := number(last, key)) is None else round(b - a)
        for key in ("frames", "changed", "bypassed")
    )
    if frames is None or changed is None or frames + (bypassed or 0) <= 0:
        return None
    # A frame that was in the filter at the first message is among those changed since, but not among the frames.
    return {"frames": frames + (bypassed or 0), "changed": min(changed, frames)}


def share(counts: dict[str, int] | None) -> float | None:
    """Per cent of the frames that the filter changed."""
    return None if not counts else round(100 * counts["changed"] / counts["frames"], 2)


def stages(told: Told, window: Window) -> dict[str, dict[str, float]]:
    """Median and 95th percentile of each stage, in ms.

    Medians over the messages whose recent times are all of the window. Where there is none, as in a short window, it is
    the last message's recent times; and where the relay tells of none, its times over the whole call.
    """
    within = [figures for time, figures in told if time >= window.begin] or [told[-1][1]]
    names = within[-1].get("stages")
    if not isinstance(names, dict):
        return {}
    found = {}
    for name in names:
        seen = [_stage(figures, name) for figures in within]
        before = number(seen[0], "count") or 0.0
        clean = [_recent(each) for each in seen if _is_clean(each, before)]
        known = [each for each in clean if each] or [_recent(seen[-1]) or _times(seen[-1], "")]
        if known[0]:
            found[str(name)] = {key: round(median(each[key] for each in known), 2) for key in TIMES}
    return found


def number(told: object, key: str) -> float | None:
    """A figure in what a relay says, which may be anything."""
    value = told.get(key) if isinstance(told, dict) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _stage(figures: dict[str, Any], name: str) -> object:
    told = figures.get("stages")
    return told.get(name) if isinstance(told, dict) else None


def _is_clean(stage: object, before: float) -> bool:
    """Whether its recent times are all later than the `before` first ones of the call."""
    count, recent = number(stage, "count"), number(stage, "recent_count")
    return count is not None and recent is not None and 0 < recent <= count - before


def _recent(stage: object) -> dict[str, float]:
    return _times(stage, "recent_")


def _times(stage: object, prefix: str) -> dict[str, float]:
    values = {key: number(stage, prefix + key) for key in TIMES}
    return {key: value for key, value in values.items() if value is not None} if None not in values.values() else {}
