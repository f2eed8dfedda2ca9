"""What the webcam is doing, in a few words that are true: what was done to most frames lately, not what was meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

SPAN_S = 5.0
"""It is decided anew so often and no oftener: a journal must not fill with it."""
FEWEST = 10
"""Frames that the first decision needs."""
HALF, SURE = 0.5, 0.75
"""Share of a span's frames that makes another doing of it: the first where all was well, else the second, so that
what comes and goes is not said to be well."""
ENTER, LEAVE = (0.15, 0.6), (0.08, 0.4)
"""Weights from which on a task is there a little, and plainly; and below which it no longer is."""

NO_TIME, NO_FACE = "no time", "no face"
"""Failures, as the filter counts them; all others are its own."""
FAILS, RESTORED = "fails", "restored"
AS_IT_IS = "passing the camera as it is:"
RELIEF_SIZE, RELIEF_MS = (640, 480), 100
"""Camera mode and budget that keep more frames restored on a busy machine (webcam.md)."""


@dataclass(frozen=True, slots=True)
class Story:
    """What was said last, and what has been seen since."""

    text: str = ""
    """Empty while too little is known."""
    doing: str | None = None
    amounts: Mapping[str, int] = field(default_factory=dict)
    """Task to 0 (not there), 1 (a little) or 2."""
    since: float = 0.0
    counts: Mapping[str, int] | None = None
    """At the beginning of the span; None outside of any."""
    looks: int = 0
    """Of those at which frames were not let pass"""
    faces: int = 0
    """so many found a face."""


def tell(story: Story, figures: Mapping[str, Any], now: float) -> Story:
    """The story after a look at the webcam's figures, `now` seconds on a steady clock."""
    if text := _at_rest(figures):
        return Story(text)
    filtered = figures["filter"]
    counts = _counts(filtered)
    began = story.counts
    if began is None:
        # What was counted before somebody looked, or while it was off, says nothing.
        return Story(since=now, counts=counts)
    if not filtered.get("quality", {}).get("passing"):
        story = replace(story, looks=story.looks + 1, faces=story.faces + bool(filtered.get("faces")))
    frames = {name: counts[name] - began[name] for name in counts}
    enough = story.doing is None and sum(frames.values()) >= FEWEST
    if not enough and now - story.since < SPAN_S:
        return story
    doing = _doing(story.doing, frames)
    amounts = _amounts(story.amounts, filtered.get("weights", {})) if doing == RESTORED else {}
    face = 2 * story.faces >= story.looks
    text = _text(doing, amounts, face, figures) if doing else "waiting for the camera"
    return Story(text, doing, amounts, now, counts)


def _at_rest(figures: Mapping[str, Any]) -> str:
    """What needs no second look; empty while frames are to be restored."""
    if trouble := figures.get("trouble"):
        return f"trouble: {trouble}"
    if not figures.get("reader"):
        return "nobody is looking, the camera is " + ("still open" if figures.get("camera_open") else "closed")
    if not figures.get("on"):
        return "switched off: the camera as it is"
    return "" if figures.get("strength") else "strength 0: the camera as it is"


def _counts(filtered: Mapping[str, Any]) -> dict[str, int]:
    """Frames since the start, by what was done to them."""
    failures = filtered.get("failures", {})
    own = sum(number for name, number in failures.items() if name not in {NO_TIME, NO_FACE})
    return {
        RESTORED: filtered.get("changed", 0),
        NO_TIME: failures.get(NO_TIME, 0),
        NO_FACE: failures.get(NO_FACE, 0),
        FAILS: own + filtered.get("bypassed", 0),
    }


def _doing(before: str | None, frames: Mapping[str, int]) -> str | None:
    """What most frames had done to them; as before where there is no such thing, and None where there are no frames."""
    most = max(frames, key=lambda name: frames[name])
    if before is None or not frames[most]:
        return most if frames[most] else None
    needed = HALF if before == RESTORED else SURE
    return most if frames[most] > needed * sum(frames.values()) else before


def _amounts(before: Mapping[str, int], weights: Mapping[str, float]) -> dict[str, int]:
    amounts = {}
    for name, weight in weights.items():
        limits = [LEAVE[place] if before.get(name, 0) > place else ENTER[place] for place in range(2)]
        amounts[name] = sum(weight >= limit for limit in limits)
    return amounts


def _relief(figures: Mapping[str, Any]) -> str:
    """What helps where time is short: one thing at a time, so that a terminal of 80 columns has room for it."""
    if figures["filter"].get("quality", {}).get("budget_ms", RELIEF_MS) < RELIEF_MS:
        return f"--latency-budget {RELIEF_MS}ms helps"
    camera = figures.get("camera") or {"width": 0, "height": 0}
    # A film has no mode that could be chosen.
    chosen = f"{camera['width']}x{camera['height']}" in str(figures.get("input"))
    if chosen and camera["height"] > RELIEF_SIZE[1]:
        return "--size {}x{} helps".format(*RELIEF_SIZE)
    return "fewer other programs help"


def _text(doing: str, amounts: Mapping[str, int], face: bool, figures: Mapping[str, Any]) -> str:
    if doing == NO_TIME:
        return f"{AS_IT_IS} too little time ({_relief(figures)})"
    if doing == FAILS:
        return f"{AS_IT_IS} the filter fails"
    if doing == NO_FACE:
        return "no face found"
    if not face:
        return "no face found, only the room is restored"
    plain = [name for name, amount in amounts.items() if amount == 2]
    little = [f"some {name}" for name, amount in amounts.items() if amount == 1]
    if plain or little:
        return f"restoring: {', '.join(plain + little)}"
    return "nothing found to restore" if figures["filter"].get("understood") == "auto" else "restoring"
