"""One step of training, and all that a checkpoint must hold for the next one."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engines.errors import BadInput, ClearcallError
from generator.config import GeneratorConfig
from generator.model import Generator
from training.checkpoint import carry_over, configuration, load_checkpoint, put_weights, save_checkpoint
from training.losses import estimate_loss, losses


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How to train; the times count training only, not validation."""

    minutes: float = 60.0
    batch: int = 4
    """Clips a step"""
    rate: float = 1e-3
    """Peak learning rate; it rises over `warm_up` seconds and falls as a cosine to a hundredth"""
    warm_up: float = 60.0
    average: float = 0.998
    auto_share: float = 0.3
    """Share of clips that are restored under the generator's own prompt estimate, once that has learned something"""
    auto_from: float = 0.1
    """Share of the time after which it is taken to have"""
    estimate_share: float = 0.1
    """Share of the time, at the end, in which the prompt estimate alone is trained, on what the averaged weights see"""
    estimate_rate: float = 1e-3
    seed: int = 1
    workers: int = 1
    """Processes that make samples; 0 makes them between the steps"""
    threads: int = 1
    """Compute threads; more only pay where the cores are otherwise idle"""
    checkpoint_every: float = 120.0
    validate_every: float = 480.0


def learning_rate(settings: TrainSettings, elapsed: float) -> float:
    """Rate after `elapsed` seconds of training; the estimate's own stage at the end does not count."""
    done = min(1.0, elapsed / (60 * settings.minutes * (1 - settings.estimate_share)))
    rise = min(1.0, (elapsed + 1) / settings.warm_up)
    return settings.rate * rise * (0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2)


@torch.no_grad()
def follow(average: Generator, generator: Generator, keep: float) -> None:
    """Move the running average's weights and statistics towards the generator's."""
    fast = generator.state_dict()
    for name, slow in average.state_dict().items():
        if slow.is_floating_point():
            slow.lerp_(fast[name], 1 - keep)
        else:
            slow.copy_(fast[name])


class Trainer:
    """A generator under training with all that a checkpoint must hold to go on."""

    def __init__(self, config: GeneratorConfig, settings: TrainSettings) -> None:
        self.settings = settings
        self.generator = Generator(config)
        self.generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
        self.average = copy.deepcopy(self.generator).eval()
        self.optimiser = torch.optim.AdamW(self.generator.parameters(), lr=settings.rate, weight_decay=1e-4)
        self.estimator = torch.optim.AdamW(self.average.estimate.parameters(), lr=settings.estimate_rate)
        self.elapsed, self.step = 0.0, 0

    @property
    def estimating(self) -> bool:
        """Whether the last stage has come, that of the prompt estimate."""
        return self.elapsed >= 60 * self.settings.minutes * (1 - self.settings.estimate_share)

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint; BadInput when it is not one of this configuration."""
        stored = load_checkpoint(path)
        if configuration(path, stored) != self.generator.config:
            raise BadInput(f"{path} was trained with another configuration: give another --out")
        put_weights(path, stored["weights"], self.generator)
        put_weights(path, stored["average"], self.average)
        try:
            self.optimiser.load_state_dict(stored["optimiser"])
            self.elapsed, self.step = float(stored["elapsed"]), int(stored["step"])
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"{path}: its optimiser does not fit this version") from error

    def start_from(self, path: Path) -> tuple[int, int]:
        """Begin with what fits of another run's averaged weights; returns how many did, and how many there are."""
        missing = carry_over(load_checkpoint(path)["average"], self.generator)
        self.average.load_state_dict(self.generator.state_dict())
        total = len(self.generator.state_dict())
        return total - len(missing), total

    def store(self, path: Path, provenance: dict[str, Any]) -> None:
        """Write a checkpoint."""
        content = {
            "weights": self.generator.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "elapsed": self.elapsed,
            "step": self.step,
            "provenance": provenance,
        }
        save_checkpoint(path, content, self.generator.config)

    def learn(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """One step; returns the terms of the loss. ClearcallError when they are no longer numbers."""
        if self.estimating:
            return self._learn_estimate(batch)
        settings = self.settings
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(settings, self.elapsed)
        trusted = self.elapsed > settings.auto_from * 60 * settings.minutes
        terms = losses(self.generator, self.average, batch, settings.auto_share if trusted else 0.0)
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.generator.parameters(), 1.0)
        if not math.isfinite(norm):
            raise ClearcallError(f"training diverged at step {self.step}; the last checkpoint is from before")
        self.optimiser.step()
        self.step += 1
        follow(self.average, self.generator, min(settings.average, (self.step + 1) / (self.step + 10)))
        return terms

    def _learn_estimate(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The averaged generator keeps all weights but those of its estimate, which needs no more than the encoder."""
        whole = 60 * self.settings.minutes
        left = max(0.01, (whole - self.elapsed) / (whole * self.settings.estimate_share))
        for group in self.estimator.param_groups:
            group["lr"] = self.settings.estimate_rate * left
        loss = estimate_loss(self.average, batch)
        self.estimator.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.estimator.step()
        # More minutes later on are to go on from it.
        self.generator.estimate.load_state_dict(self.average.estimate.state_dict())
        self.step += 1
        return {"prompt": loss}
