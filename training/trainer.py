"""One step of training, and all that a checkpoint must hold for the next one."""

from __future__ import annotations

import copy
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engines.errors import BadInput, ClearcallError
from generator.config import GeneratorConfig
from generator.model import Generator
from training.checkpoint import carry_over, configuration, load_checkpoint, put_weights, save_checkpoint
from training.discriminator import FIRST_SHARE, LAST_SHARE, Adversary
from training.latent_losses import autoencoder_losses, flow_losses
from training.losses import FACE_SWITCH, Emphasis, estimate_loss, losses, losses_of, restored
from training.stages import STAGES, Part, Stage, begins, choose, stage_at

MOST_WORKERS = 256


def workers_for(cores: int) -> int:
    """Processes that make samples, where nobody says how many: one core is for the training itself."""
    return max(1, min(cores - 1, MOST_WORKERS))


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How to train; the times count training only, not validation."""

    minutes: float = 60.0
    rate: float = 1e-3
    """Peak learning rate; in each stage it rises over `warm_up` seconds and falls as a cosine"""
    warm_up: float = 20.0
    average: float = 0.998
    auto_share: float = 0.5
    """Share of clips that are restored under the generator's own prompt estimate, once that has learned something"""
    auto_from: float = 0.15
    """Share of the time after which it is taken to have, since all weights began to learn"""
    face_switch: float = FACE_SWITCH
    """Share of clips that are judged on the face alone"""
    semantic: float = 1.0
    """How much what the damage hid counts more than all else"""
    stages: tuple[Stage, ...] = STAGES
    seed: int = 1
    workers: int = workers_for(os.cpu_count() or 1)
    """Processes that make samples; 0 makes them between the steps"""
    threads: int = 1
    """Compute threads; more only pay where the cores are otherwise idle"""
    device: str = "auto"
    """auto (a GPU where there is one), cpu or cuda"""
    checkpoint_every: float = 120.0
    validate_every: float = 480.0


def learning_rate(settings: TrainSettings, elapsed: float) -> float:
    """Rate after `elapsed` seconds of training."""
    index, done = stage_at(elapsed / (60 * settings.minutes), settings.stages)
    stage = settings.stages[index]
    seconds = 60 * settings.minutes * stage.share * done
    rise = min(1.0, (seconds + 1) / settings.warm_up)
    falling = stage.last_rate + (stage.rate - stage.last_rate) * (1 + math.cos(math.pi * done)) / 2
    return settings.rate * rise * falling


@torch.no_grad()
def follow(average: Generator, generator: Generator, keep: float) -> None:
    """Move the running average's weights and statistics towards the generator's."""
    fast = generator.state_dict()
    for name, slow in average.state_dict().items():
        if slow.is_floating_point():
            slow.lerp_(fast[name], 1 - keep)
        else:
            slow.copy_(fast[name])


def pick_device(wanted: str) -> torch.device:
    """BadInput where a GPU is demanded and there is none."""
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise BadInput("--device cuda: torch finds no GPU here")
    return torch.device("cuda" if there and wanted != "cpu" else "cpu")


class Trainer:
    """A generator under training with all that a checkpoint must hold to go on."""

    def __init__(self, config: GeneratorConfig, settings: TrainSettings) -> None:
        self.settings = settings
        self.device = pick_device(settings.device)
        self.generator = Generator(config).to(self.device)
        self.generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
        self.average = copy.deepcopy(self.generator).eval()
        self.optimiser = torch.optim.AdamW(self.generator.parameters(), lr=settings.rate, weight_decay=1e-4)
        self.estimator = torch.optim.AdamW(self.average.estimate.parameters(), lr=settings.rate)
        adversarial = any(stage.part == "decoder" for stage in settings.stages)
        self.adversary = Adversary(self.device) if adversarial else None
        self.elapsed, self.step = 0.0, 0
        self.part: Part | None = None
        """What the last step taught"""

    @property
    def done(self) -> float:
        """Share of the time that is over."""
        return self.elapsed / (60 * self.settings.minutes)

    @property
    def stage(self) -> Stage:
        """The present stage."""
        return self.settings.stages[stage_at(self.done, self.settings.stages)[0]]

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
            self.part = stored.get("part")
            if self.adversary is not None and "adversary" in stored:
                self.adversary.restore(stored["adversary"])
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise BadInput(f"{path}: its optimiser does not fit this version") from error

    def start_from(self, path: Path) -> tuple[int, int]:
        """Begin with what fits of another run's averaged weights; returns how many did, and how many there are."""
        stored = load_checkpoint(path)
        missing = carry_over(stored["average"], self.generator)
        self.part = stored.get("part")
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
            "part": self.part,
            "provenance": provenance,
        }
        if self.adversary is not None:
            content["adversary"] = self.adversary.state()
        save_checkpoint(path, content, self.generator.config)

    def learn(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """One step; returns the terms of the loss. ClearcallError when they are no longer numbers."""
        settings, stage = self.settings, self.stage
        batch = {name: tensor.to(self.device, non_blocking=True) for name, tensor in batch.items()}
        if self.part == "autoencoder" and stage.part != "autoencoder":
            # They told all detail; from now on what they put out is added to the input, and has to begin at nothing.
            for generator in (self.generator, self.average):
                generator.decoder.restart_heads()
        self.part = stage.part
        if stage.part == "estimate":
            return self._learn_estimate(batch)
        choose(self.generator, stage.part)
        self.generator.decoder.shut_skips(stage.skip_dropout)
        if stage.shape.frames > 1:
            for generator in (self.generator, self.average):
                if generator.previous is not None:
                    generator.previous.open()
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(settings, self.elapsed)
        terms = self._terms(batch)
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.generator.parameters(), 1.0)
        if not math.isfinite(norm):
            raise ClearcallError(f"training diverged at step {self.step}; the last checkpoint is from before")
        self.optimiser.step()
        if self.generator.codebook is not None:
            self.generator.codebook.restart()
        self.step += 1
        follow(self.average, self.generator, min(settings.average, (self.step + 1) / (self.step + 10)))
        return terms

    def _terms(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The terms of the present stage's loss."""
        settings, part = self.settings, self.stage.part
        trusted = self.done - begins("all", settings.stages) > settings.auto_from
        auto = settings.auto_share if trusted else 0.0
        emphasis = Emphasis(auto, settings.face_switch, settings.semantic)
        # Half the bytes and twice the speed on a GPU; on a CPU it takes many times longer.
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            if part == "autoencoder":
                return autoencoder_losses(self.generator, batch)
            if part == "flow":
                return flow_losses(self.generator, self.average, batch, emphasis)
            if part != "decoder" or self.adversary is None:
                return losses(self.generator, self.average, batch, emphasis)
            out = restored(self.generator, batch, emphasis)
            terms = losses_of(out, self.average, batch, emphasis)
        done = stage_at(self.done, settings.stages)[1]
        share = FIRST_SHARE + (LAST_SHARE - FIRST_SHARE) * done
        terms["adversarial"] = self.adversary.step(batch, out, torch.stack(list(terms.values())).sum(), share)
        return terms

    def _learn_estimate(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The averaged generator keeps all weights but those of its estimate, which needs no more than the encoder."""
        for group in self.estimator.param_groups:
            group["lr"] = learning_rate(self.settings, self.elapsed)
        loss = estimate_loss(self.average, batch)
        self.estimator.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.estimator.step()
        # More minutes later on are to go on from it.
        self.generator.estimate.load_state_dict(self.average.estimate.state_dict())
        self.step += 1
        return {"prompt": loss}
