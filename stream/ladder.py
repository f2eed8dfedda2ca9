"""What a live filter may spend on a frame: levels from everything down to nothing at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from stream.models import Model

USUAL_INTERVAL = 3
"""Frames from one run of the face's mesh to the next; the flow carries the landmarks in between."""
LONG_INTERVAL = 6


@dataclass(frozen=True, slots=True)
class Level:
    """What may be spent."""

    size: int
    """Edge of the largest graph that may run, px."""
    precision: str
    """Of the graphs, as the model names it."""
    cost: float = 1.0
    """Time of a step in this precision, as a share of the same step in the best one."""
    track_every: int = USUAL_INTERVAL
    reuse: bool = False
    """Whether a crop that hardly changed gets what the generator made of the last one."""
    passes: bool = False
    """Whether frames go through as they came."""

    @property
    def full(self) -> bool:
        """Whether nothing is spared but the size of the graph and its precision."""
        return self.track_every == USUAL_INTERVAL and not self.reuse and not self.passes

    @property
    def name(self) -> str:
        """For metrics and for people."""
        if self.passes:
            return "as it came"
        more = "" if self.track_every == USUAL_INTERVAL else f", face every {self.track_every}th"
        return f"{self.size} {self.precision}{more}{', reuse' if self.reuse else ''}"


def ladder(sizes: Sequence[int], costs: Mapping[str, float]) -> tuple[Level, ...]:
    """All levels, the best first.

    A cheaper precision comes before a smaller graph: it may lose 0.15 dB at most (`clearcall export` sees to that), a
    smaller graph loses the camera's own resolution. What changes the picture least per millisecond comes first.

    Args:
        sizes: Edges of the graphs, px.
        costs: Precision to its share of the time of the best, the best first.
    """
    largest_first = sorted(sizes, reverse=True)
    precisions = list(costs.items())
    levels = [Level(largest_first[0], name, cost) for name, cost in precisions]
    cheapest, cost = precisions[-1]
    levels += [Level(size, cheapest, cost) for size in largest_first[1:]]
    seldom = replace(levels[-1], track_every=LONG_INTERVAL)
    return (*levels, seldom, replace(seldom, reuse=True), replace(seldom, reuse=True, passes=True))


def top_of(model: Model) -> Level:
    """All that a model can do: for files, which have time."""
    return Level(max(model.engines), model.precision)
