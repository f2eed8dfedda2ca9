"""The stages of a training, one after another, each with its own clips and its own share of the weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal

from engines.errors import BadInput
from generator.model import Generator
from training.samples import SampleShape

Part = Literal["all", "temporal", "estimate", "autoencoder", "flow", "decoder"]
"""Which weights learn: all, those that frames before this one reach, those of the prompt estimate, those that a clean
picture's way through the latent and back has, those that the velocity depends on, or the decoder's."""

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
    skip_dropout: float = 0.0
    """Share of the decoder's skips that are shut, so that the latent has something to do"""

    @property
    def motion(self) -> bool:
        """Whether its losses need to know where everything was a frame before."""
        return self.shape.frames > 1 and self.part != "estimate"


CATALOGUE = (
    # Not down to a small rate: what these two teach is only where the others begin.
    Stage("autoencoder", 0.08, SampleShape(1, 160, 128), 16, "autoencoder", last_rate=0.1, skip_dropout=1.0),
    Stage("flow", 0.08, SampleShape(1, 160, 128), 16, "flow", last_rate=0.1),
    Stage("pictures", 0.4, SampleShape(1, 160, 128), 16, last_rate=0.1),
    Stage("time", 0.12, SampleShape(6, 192, 160), 4, "temporal", last_rate=0.3),
    Stage("clips", 0.42, SampleShape(6, 192, 160), 4, rate=0.3),
    Stage("adversarial", 0.06, SampleShape(6, 192, 160), 4, "decoder", rate=0.1),
    # On what the averaged weights see.
    Stage("estimate", 0.06, SampleShape(2, 192, 160), 8, "estimate"),
)
"""Every stage there is, in the order of the whole recipe. Single pictures before clips: there a step sees most people
for its time. Then clips, at first for the parts alone that have learned nothing yet."""
DEFAULT = ("pictures", "time", "clips", "estimate")
STAGES = tuple(stage for stage in CATALOGUE if stage.name in DEFAULT)
"""Those of a training that is told nothing else."""


def named_stages(names: str) -> tuple[Stage, ...]:
    """The stages of a list such as "pictures,time", in its order, their shares scaled to a sum of 1.

    Raises:
        BadInput: A name is unknown or there twice, or there is none.
    """
    known = {stage.name: stage for stage in CATALOGUE}
    wanted = [name.strip() for name in names.split(",")]
    for name in wanted:
        if name not in known:
            raise BadInput(f"--stages: {name!r} is none of {', '.join(known)}")
        if wanted.count(name) > 1:
            raise BadInput(f"--stages: {name} is there twice")
    total = sum(known[name].share for name in wanted)
    return tuple(replace(known[name], share=known[name].share / total) for name in wanted)


def stage_at(done: float, stages: tuple[Stage, ...]) -> tuple[int, float]:
    """Number of the stage after a share `done` of the time, and which share of that stage is over."""
    ends = list(accumulate(stage.share for stage in stages))
    scaled = min(max(done, 0.0), 1.0) * ends[-1]
    index = next((i for i, end in enumerate(ends) if scaled < end), len(stages) - 1)
    begun = ends[index] - stages[index].share
    return index, min(1.0, (scaled - begun) / stages[index].share)


def begins(part: Part, stages: tuple[Stage, ...]) -> float:
    """Share of the time after which the first stage of that part begins; 0 when there is none."""
    before = 0.0
    for stage in stages:
        if stage.part == part:
            return before / sum(stage.share for stage in stages)
        before += stage.share
    return 0.0


def learns(name: str, part: Part) -> bool:
    """Whether the weights of this name learn in a stage of that part."""
    module, *within = name.split(".")
    if part == "temporal":
        return not set(TEMPORAL).isdisjoint([module, *within])
    if part == "autoencoder":
        return module in ("encoder", "decoder", "codebook") and "skip" not in within
    if part == "flow":
        # Not the encoder: nothing in this stage tells it to keep the picture, nor does the target then stand still.
        return module in ("velocity", "embedding", "context") or "to_spatial" in within
    return part == "all" or (part == "decoder" and module == "decoder")


def choose(generator: Generator, part: Part) -> None:
    """Let the gradients of the stage's weights alone be computed."""
    for name, parameter in generator.named_parameters():
        parameter.requires_grad_(learns(name, part))
