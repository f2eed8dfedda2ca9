"""The training loop: one stage, clips with carried attention, all losses at once; resumable."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from generator.config import GeneratorConfig
from generator.model import Generator
from stream.face.models import model_paths
from training.checkpoint import load_checkpoint, save_checkpoint
from training.faces import attributions, list_faces
from training.landmarks import StillLandmarks, find_landmarks
from training.losses import charbonnier, frame_difference, gradient
from training.samples import Samples, SampleShape
from training.validate import dev_clips, validate

Batch = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How to train; the times count training only, not validation."""

    minutes: float = 60.0
    batch: int = 6
    """Clips a step"""
    rate: float = 1e-3
    """Peak learning rate; it rises over `warm_up` seconds and falls as a cosine to a hundredth"""
    warm_up: float = 60.0
    average: float = 0.999
    freeze_norm_at: float = 0.5
    """Share of the time after which batch normalisation keeps its statistics: the rest trains what will really run"""
    auto_share: float = 0.3
    """Share of clips that are restored under the generator's own prompt estimate"""
    seed: int = 1
    workers: int = 1
    threads: int = 1
    """Compute threads; more only pay where the cores are otherwise idle"""
    checkpoint_every: float = 120.0
    validate_every: float = 480.0


LOW_LIGHT_WEIGHT = 0.25
"""Weight of clips in low light: their error is mostly exposure, which nobody can guess exactly and which would
drown the detail of all other tasks."""


def losses(generator: Generator, teacher: Generator, batch: Batch, auto_share: float) -> dict[str, Tensor]:
    """The weighted terms of the loss of a batch of clips [B,T,...]; their sum is minimised.

    The latent that the flow aims at is the `teacher`'s, the slow average of the generator: it stands still.
    """
    y, uv = batch["y"], batch["uv"]
    count, frames = y.shape[:2]
    ones = torch.ones(count, frames, 1)
    auto = (torch.rand(count, 1, 1) < auto_share).float().expand(count, frames, 1)
    out = generator.clip(y, uv, batch["regions"], batch["prompt"], ones, auto)
    dark = batch["prompt"][:, :1, generator.config.prompts.index("low light"), None, None] > 0
    weight = torch.where(dark, LOW_LIGHT_WEIGHT, 1.0)[..., None]
    error_y = weight * (y + out.change_y.unflatten(0, (count, frames)) - batch["clean_y"])
    error_uv = weight * (uv + out.change_uv.unflatten(0, (count, frames)) - batch["clean_uv"])
    with torch.no_grad():
        target = teacher.encode(batch["clean_y"].flatten(0, 1), batch["clean_uv"].flatten(0, 1))[2]
    return {
        "pixel": charbonnier(error_y) + 0.5 * charbonnier(error_uv),
        "gradient": 0.2 * gradient(error_y),
        "temporal": 0.5 * frame_difference(error_y),
        "flow": 0.02 * charbonnier(out.velocity - (out.z_lq.detach() - target)),
        "prompt": 0.02 * torch.nn.functional.mse_loss(out.prompt_hat, batch["prompt"].flatten(0, 1)),
    }


def learning_rate(settings: TrainSettings, elapsed: float) -> float:
    """Rate after `elapsed` seconds of training."""
    done = min(1.0, elapsed / (60 * settings.minutes))
    return settings.rate * min(1.0, (elapsed + 1) / settings.warm_up) * (0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2)


def freeze_norm(generator: Generator) -> None:
    """Make batch normalisation use, and keep, its running statistics."""
    for module in generator.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


@torch.no_grad()
def follow(average: Generator, generator: Generator, keep: float) -> None:
    """Move the running average's weights and statistics towards the generator's."""
    fast = generator.state_dict()
    for name, slow in average.state_dict().items():
        if slow.is_floating_point():
            slow.lerp_(fast[name], 1 - keep)
        else:
            slow.copy_(fast[name])


def train(
    folder: Path, dev: Path | None, out: Path, config: GeneratorConfig, settings: TrainSettings, command: str
) -> None:
    """Train until the minutes are used up; goes on where `out`/last.pt stands. Writes `out`/train.log."""
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    files = list_faces(folder)
    landmarks = find_landmarks(files, out / "landmarks.npz")
    judged = dev_clips(dev, 256, 10) if dev else []
    generator = Generator(config).to(memory_format=torch.channels_last)
    average = copy.deepcopy(generator).eval()
    optimiser = torch.optim.AdamW(generator.parameters(), lr=settings.rate, weight_decay=1e-4)
    elapsed, step, last = 0.0, 0, out / "last.pt"
    if last.exists():
        stored = load_checkpoint(last)
        generator.load_state_dict(stored["weights"])
        average.load_state_dict(stored["average"])
        optimiser.load_state_dict(stored["optimiser"])
        elapsed, step = stored["elapsed"], stored["step"]
    provenance: dict[str, Any] = {
        "command": command,
        "files": len(files),
        "seed": settings.seed,
        "device": f"CPU, {settings.threads} thread{'s' if settings.threads > 1 else ''}",
        "attributions": attributions(folder, files),
    }
    log = Log(out / "train.log")
    log(f"training from step {step}, {elapsed / 60:.1f} of {settings.minutes:g} minutes; {len(files)} files, "
        f"{len(landmarks)} with landmarks; {settings}; {config}")  # fmt: skip
    data = Samples(files, landmarks, SampleShape(), settings.seed + step)
    # Spawned, not forked: a fork of a process that has run OpenCV or LiteRT threads can hang.
    loader: Iterator[Batch] = iter(
        DataLoader(
            data, settings.batch, num_workers=settings.workers, prefetch_factor=4, multiprocessing_context="spawn"
        )
    )

    def store() -> None:
        content = {
            "weights": generator.state_dict(),
            "average": average.state_dict(),
            "optimiser": optimiser.state_dict(),
            "elapsed": elapsed,
            "step": step,
            "provenance": provenance,
        }
        save_checkpoint(last, content, config)

    sums: dict[str, float] = {}
    since = saved = validated = elapsed
    began = step
    while elapsed < 60 * settings.minutes:
        clock = time.monotonic()
        batch = next(loader)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(settings, elapsed)
        if elapsed > settings.freeze_norm_at * 60 * settings.minutes:
            freeze_norm(generator)
        terms = losses(generator, average, batch, settings.auto_share)
        optimiser.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(generator.parameters(), 1.0)
        optimiser.step()
        step += 1
        follow(average, generator, min(settings.average, (step + 1) / (step + 10)))
        elapsed += time.monotonic() - clock
        for name, value in terms.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach())
        if elapsed - since > 20:
            count = step - began
            shown = " ".join(f"{name} {1000 * value / count:.3f}" for name, value in sums.items())
            log(f"step {step} minute {elapsed / 60:.1f} loss {1000 * sum(sums.values()) / count:.3f} ({shown}) "
                f"rate {learning_rate(settings, elapsed):.2e} {count / (elapsed - since):.2f} steps/s")  # fmt: skip
            sums, since, began = {}, elapsed, step
        if elapsed - saved > settings.checkpoint_every:
            store()
            saved = elapsed
        if judged and elapsed - validated > settings.validate_every:
            log(validation_line(average, judged))
            validated = elapsed
    store()
    if judged:
        log(validation_line(average, judged))


def validation_line(generator: Generator, judged: list) -> str:  # type: ignore[type-arg]
    """One log line with PSNR before, after and under the generator's own prompt, per task."""
    scores = validate(generator, judged, StillLandmarks(model_paths()))
    return "dev " + ", ".join(f"{s.task} {s.before:.2f} -> {s.after:.2f} (auto {s.auto:.2f})" for s in scores)


class Log:
    """Appends lines to a file and shows them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, line: str) -> None:
        """Write one line with the time of day."""
        stamped = f"{time.strftime('%H:%M:%S')} {line}"
        print(stamped, flush=True)
        with self._path.open("a") as file:
            file.write(stamped + "\n")
