"""Trains arms on for the same number of steps, from the same weights, on the same samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.ablation.arms import Arm
from generator.model import Generator
from training.checkpoint import carry_over
from training.faces import list_faces
from training.landmarks import find_landmarks
from training.samples import Samples, SampleShape
from training.stages import Stage, learns
from training.trainer import Trainer, TrainSettings

AVERAGE = 0.99
"""Weights are averaged over about a hundred steps: as many as an arm is trained on for at the least."""
SCHEDULE = 1.0
"""Minutes of the schedule that the steps are spread over, at a constant rate."""
NEVER = 2.0
"""Share of the time: all arms are trained under the right prompts."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How arms are trained on."""

    folder: Path
    """Stills and clips to train on, with landmarks kept in `cache`"""
    cache: Path
    steps: int
    batch: int = 4
    rate: float = 2e-4
    seed: int = 77


def trained(whole: Generator, arm: Arm, tuning: Tuning, say: Callable[[str], None]) -> tuple[Generator, int]:
    """The arm's generator after its steps, averaged, and how many of its tensors began from nothing.

    The whole one is trained on alike to be compared with.

    Raises:
        BadInput: The folder cannot be used.
        ClearcallError: Training diverged.
    """
    torch.manual_seed(tuning.seed)
    files = list_faces(tuning.folder)
    samples = Samples(files, find_landmarks(files, tuning.cache), SampleShape(), tuning.seed)
    stages = tuple(
        Stage(part, 1.0, SampleShape(), tuning.batch, part, last_rate=1.0) for part in arm.stages or ("all",)
    )
    settings = TrainSettings(SCHEDULE, tuning.rate, 0.1, AVERAGE, auto_from=NEVER, seed=tuning.seed, stages=stages)
    settings = replace(settings, **arm.training)
    trainer = Trainer(replace(whole.config, **arm.change), settings)
    known = {k: w for k, w in whole.state_dict().items() if not (arm.stages and learns(k, "temporal"))}
    anew = carry_over(known, trainer.generator)
    trainer.average.load_state_dict(trainer.generator.state_dict())
    rng = np.random.default_rng([tuning.seed, 0])
    for step in range(tuning.steps):
        drawn = [samples.draw(rng) for _ in range(tuning.batch)]
        trainer.elapsed = 60 * SCHEDULE * step / tuning.steps
        trainer.learn({key: torch.stack([sample[key] for sample in drawn]) for key in drawn[0]})
        if step % 20 == 0:
            say(f"{arm.name}: training, step {step} of {tuning.steps}")
    return trainer.average.eval(), len(anew)
