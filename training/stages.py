"""The stages of a training, one after another, each with its own clips and its own share of the weights."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from generator.model import Generator
from training.samples import SampleShape

Part = Literal["all", "temporal", "estimate"]
"""Which weights learn: all, those that frames before this one reach, or those of the prompt estimate."""

TEMPORAL = ("previous", "tap", "recurrence", "to_temporal", "temporal", "attention")
"""Modules that do something with the frames before: one of these is part of the names of their weights."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage."""

    name: str
    share: float
    """Of the time"""
    shape: SampleShape
    batch: int
    """Clips a step"""
    part: Part = "all"
    rate: float = 1.0
    """Peak of the learning rate, relative to the settings'"""
    last_rate: float = 0.01
    """Where it ends, likewise"""

    @property
    def motion(self) -> bool:
        """Whether its losses need to know where everything was a frame before."""
        return self.shape.frames > 1 and self.part != "estimate"


STAGES = (
    Stage("pictures", 0.4, SampleShape(1, 160, 128), 16, last_rate=0.1),
    Stage("time", 0.12, SampleShape(6, 192, 160), 4, "temporal", last_rate=0.3),
    Stage("clips", 0.42, SampleShape(6, 192, 160), 4, rate=0.3),
    # On what the averaged weights see.
    Stage("estimate", 0.06, SampleShape(2, 192, 160), 8, "estimate"),
)
"""Single pictures first: there a step sees most people for its time. Then clips, at first for the parts alone that
have learned nothing yet."""


def stage_at(done: float, stages: tuple[Stage, ...]) -> tuple[int, float]:
    """Number of the stage after a share `done` of the time, and which share of that stage is over."""
    ends = list(accumulate(stage.share for stage in stages))
    scaled = min(max(done, 0.0), 1.0) * ends[-1]
    index = next((i for i, end in enumerate(ends) if scaled < end), len(stages) - 1)
    begun = ends[index] - stages[index].share
    return index, min(1.0, (scaled - begun) / stages[index].share)


def learns(name: str, part: Part) -> bool:
    """Whether the weights of this name learn in a stage of that part."""
    if part == "temporal":
        return not set(TEMPORAL).isdisjoint(name.split("."))
    return part == "all"


def choose(generator: Generator, part: Part) -> None:
    """Let the gradients of the stage's weights alone be computed."""
    for name, parameter in generator.named_parameters():
        parameter.requires_grad_(learns(name, part))
