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
from training.stages import Stage
from training.trainer import Trainer, TrainSettings

AVERAGE = 0.99
"""Weights are averaged over about a hundred steps: as many as an arm is trained on for at the least."""
HORIZON = 1e4
"""Minutes of a schedule whose rate stays as good as constant within what is trained here."""


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


def trained(whole: Generator, arm: Arm, tuning: Tuning, say: Callable[[str], None]) -> Generator:
    """The arm's generator after its steps, averaged; the whole one is trained on alike to be compared with.

    Raises:
        BadInput: The folder cannot be used.
        ClearcallError: Training diverged.
    """
    torch.manual_seed(tuning.seed)
    files = list_faces(tuning.folder)
    samples = Samples(files, find_landmarks(files, tuning.cache), SampleShape(), tuning.seed)
    stage = Stage("arm", 1.0, SampleShape(), tuning.batch)
    settings = TrainSettings(HORIZON, tuning.rate, 1.0, AVERAGE, auto_from=0.0, seed=tuning.seed, stages=(stage,))
    settings = replace(settings, **arm.training)
    trainer = Trainer(replace(whole.config, **arm.change), settings)
    carry_over(whole.state_dict(), trainer.generator)
    trainer.average.load_state_dict(trainer.generator.state_dict())
    rng = np.random.default_rng([tuning.seed, 0])
    for step in range(tuning.steps):
        drawn = [samples.draw(rng) for _ in range(tuning.batch)]
        trainer.learn({key: torch.stack([sample[key] for sample in drawn]) for key in drawn[0]})
        if step % 20 == 0:
            say(f"{arm.name}: training, step {step} of {tuning.steps}")
    return trainer.average.eval()
