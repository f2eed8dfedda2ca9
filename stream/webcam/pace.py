"""When to send a picture: at a camera's steady beat, which follows the source's own as closely as it may."""

from __future__ import annotations

from dataclasses import dataclass, field

GRACE = 0.4
"""Share of an interval that a late picture is waited for before the last one is repeated."""
LEAD_S = 0.003
"""How long before its beat a picture should arrive: jitter then seldom makes it late."""
PULL = 0.1
"""Share of the distance to that by which one beat is moved."""
MOST_PULL = 0.01
"""Share of an interval by which a beat is moved at most: the rate stays within 1 %."""
LOST_BEATS = 4
"""Beats missed (the machine slept) after which the beat starts anew."""


@dataclass(slots=True)
class Pacer:
    """Decides; reads no clock. Seconds throughout."""

    interval: float
    due: float | None = None
    """The next beat; None before the first picture."""
    counts: dict[str, int] = field(default_factory=lambda: {"fresh": 0, "repeated": 0})

    def reset(self) -> None:
        """The next picture starts the beat anew."""
        self.due = None

    def wait(self, now: float, fresh: bool) -> float:
        """Seconds until a picture has to go out (0: now), given whether a new one is there."""
        if self.due is None:
            return 0.0
        return max(0.0, self.due + (0.0 if fresh else GRACE * self.interval) - now)

    def sent(self, now: float, arrived: float | None) -> None:
        """A picture went out: one that came at `arrived`, or None for the last one again."""
        self.counts["repeated" if arrived is None else "fresh"] += 1
        due = now if self.due is None or now - self.due > LOST_BEATS * self.interval else self.due
        nudge = 0.0
        if arrived is not None:
            most = MOST_PULL * self.interval
            nudge = max(-most, min(most, PULL * (arrived + LEAD_S - due)))
        self.due = due + self.interval + nudge
