"""The training loop, stage by stage; resumable."""

from __future__ import annotations

import copy
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch

from engines.errors import BadInput
from generator.config import GeneratorConfig
from generator.model import Generator
from stream.face.models import model_paths
from training.codes import code_use
from training.dev_clips import DevClip, dev_clips
from training.faces import attributions, list_faces
from training.feed import Batches, CacheSettings, feed
from training.landmarks import StillLandmarks, find_landmarks
from training.samples import Samples
from training.stages import Stage
from training.trainer import Trainer, TrainSettings, learning_rate
from training.validate import validate

DEV_EDGE, DEV_FILES = 256, 10
LOG_EVERY = 20.0
"""Seconds of training between two lines of the log."""


def train(
    folder: Path,
    dev: Path | None,
    out: Path,
    config: GeneratorConfig,
    settings: TrainSettings,
    command: str,
    start_from: Path | None = None,
    cache: CacheSettings | None = None,
) -> None:
    """Train until the minutes are used up; goes on where `out`/last.pt stands. Writes `out`/train.log.

    The minutes are those of steps and of their batches; what else there is to do comes on top.

    Ctrl-C leaves a checkpoint and is passed on as KeyboardInterrupt.

    Raises:
        BadInput: The folders, a file in them or the checkpoint cannot be used.
        ClearcallError: Training diverged.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{out}: {error.strerror}") from error
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    files = list_faces(folder)
    trainer, last, log = Trainer(config, settings), out / "last.pt", Log(out / "train.log")
    if last.exists():
        trainer.restore(last)
    elif start_from is not None:
        carried, total = trainer.start_from(start_from)
        log(f"starts from {start_from.name}: {carried} of {total} tensors fit")
    if trainer.elapsed >= 60 * settings.minutes:
        log(f"nothing to do: {last} has had its {settings.minutes:g} minutes; more --minutes go on from there")
        return
    landmarks = find_landmarks(files, out / "landmarks.npz")
    judged = dev_clips(dev, DEV_EDGE, DEV_FILES) if dev else []
    provenance: dict[str, Any] = {
        "command": command,
        "files": len(files),
        "seed": settings.seed,
        "device": device_name(trainer.device, settings.threads),
        "attributions": attributions(folder, files),
    }
    log(f"training from step {trainer.step}, {trainer.elapsed / 60:.1f} of {settings.minutes:g} minutes; "
        f"{len(files)} files, {len(landmarks)} with landmarks; {settings}; {config}")  # fmt: skip
    sums: dict[str, float] = {}
    logging, saving, judging = (
        Due(every, trainer.elapsed) for every in (LOG_EVERY, settings.checkpoint_every, settings.validate_every)
    )
    began = trainer.step
    stage: Stage | None = None
    batches: Batches = iter(())
    fed = ExitStack()
    try:
        while trainer.elapsed < 60 * settings.minutes:
            if trainer.stage != stage:
                stage = trainer.stage
                log(f"stage {stage.name}: {stage.part} weights, clips of {stage.shape.frames} x {stage.shape.crop}²")
                # A cache is gone on with; without one, a run that goes on draws other samples.
                seed = settings.seed if cache else settings.seed + trainer.step
                fed.close()
                data = Samples(files, landmarks, stage.shape, seed, stage.motion)
                batches = fed.enter_context(feed(data, stage, settings.workers, cache))
            clock = time.monotonic()
            terms = trainer.learn(next(batches))
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach())
            trainer.elapsed += time.monotonic() - clock
            if seconds := logging.after(trainer.elapsed):
                log(progress_line(trainer, sums, trainer.step - began, seconds))
                sums, began = {}, trainer.step
            if saving.after(trainer.elapsed):
                trainer.store(last, provenance)
            if judged and judging.after(trainer.elapsed):
                trainer.store(last, provenance)
                log_scores(log, trainer.average, judged)
    except KeyboardInterrupt:
        trainer.store(last, provenance)
        log(f"interrupted at step {trainer.step}; the same command goes on from there")
        raise
    finally:
        fed.close()
    trainer.store(last, provenance)
    if judged:
        log_scores(log, trainer.average, judged)


class Due:
    """Something that is done time and again, by seconds of training."""

    def __init__(self, every: float, now: float) -> None:
        """Done more than `every` seconds apart, for the first time that long after `now`."""
        self._every, self._last = every, now

    def after(self, now: float) -> float:
        """Seconds since it was done last, if it is to be done now, and then it counts as done; otherwise 0."""
        passed = now - self._last
        if passed <= self._every:
            return 0.0
        self._last = now
        return passed


def device_name(device: torch.device, threads: int) -> str:
    """What a training ran on, for its record."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {threads} thread{'s' if threads > 1 else ''}"


def progress_line(trainer: Trainer, sums: dict[str, float], steps: int, seconds: float) -> str:
    """One log line with the mean loss over the last `steps`, in thousandths."""
    shown = " ".join(f"{name} {1000 * value / steps:.3f}" for name, value in sums.items())
    return (
        f"step {trainer.step} minute {trainer.elapsed / 60:.1f} loss {1000 * sum(sums.values()) / steps:.3f} ({shown}) "
        f"rate {learning_rate(trainer.settings, trainer.elapsed):.2e} {steps / seconds:.2f} steps/s"
    )


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


def log_scores(log: Log, generator: Generator, judged: list[DevClip]) -> None:
    """Two lines: PSNR before, after and under the generator's own prompt, per task, and the use of codes; and more."""
    generator = copy.deepcopy(generator).cpu()
    scores = validate(generator, judged, StillLandmarks(model_paths()))
    used = code_use(generator, [clip.frames for clip in judged])
    log(
        "dev "
        + ", ".join(f"{s.task} {s.before:.2f} -> {s.after:.2f} (auto {s.auto:.2f})" for s in scores)
        + "".join(f"; {name} codes {100 * share:.0f} % in use" for name, share in used.items())
    )
    # Programs of before read the first line.
    log("dev more: " + ", ".join(f"{s.task} (word {s.word:.2f}{_figures(s.more)})" for s in scores))


def _figures(more: dict[str, float]) -> str:
    return "".join(f" {name} {value:.4g}" for name, value in more.items())
