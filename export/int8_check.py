"""What 8-bit integers cost in quality: PSNR per task on people who were never trained on, against float32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.engine import Engine, StepInputs
from engines.errors import BadInput
from stream.face.models import model_paths
from stream.face.regions import region_maps
from stream.prompt import Weights, follow_estimate, prompt_from_estimate
from stream.tone.haze import weighed
from training.degrade import TASKS, Degradation, Planar, degrade, to_planes
from training.dev_clips import dev_clips
from training.landmarks import StillLandmarks
from training.measures import psnr
from training.validate import LEVEL

ALLOWED_DB = 0.15
"""Loss on any task that is not left to float32, with the right prompt and with `auto`."""
KNOWN, FOUND = "", " auto"
"""After a task's name: its prompt was known, or found by the generator"""


@dataclass(frozen=True, slots=True)
class Case:
    """A clip damaged in one way."""

    task: str
    bad: Planar
    clean: Planar
    regions: NDArray[np.float32]
    """[1, R, h, w]"""
    prompt: Weights
    """[P]"""


@dataclass(frozen=True, slots=True)
class Loss:
    """Of one task; dB."""

    task: str
    before: float
    """PSNR of float32"""
    after: float
    """PSNR of integers"""

    @property
    def prompt(self) -> str:
        """The task, without the kind of prompt."""
        return self.task.removesuffix(FOUND)

    @property
    def db(self) -> float:
        """How much is lost; negative where something is gained."""
        return self.before - self.after


def cases(folder: Path, size: int, grid: int, limit: int | None = None) -> list[Case]:
    """Every task at the middle level on each file that is large enough.

    Raises:
        BadInput: No file is.
    """
    clips = [c.frames for c in dev_clips(folder, size) if c.frames[0].shape[:2] == (size, size)][:limit]
    if not clips:
        raise BadInput(f"--dev {folder}: no picture is {size} pixels wide and high")
    find = StillLandmarks(model_paths())
    made = []
    for index, frames in enumerate(clips):
        points = find(frames[0])
        maps = np.zeros((8, grid, grid), np.float32) if points is None else region_maps(points, 0, 0, size, grid)
        clean = to_planes(frames)
        for task in TASKS:
            what = Degradation({task: LEVEL})
            bad = degrade(frames, what, np.random.default_rng([7, index]))
            made.append(Case(task, bad, clean, maps[None], what.prompt()))
    return made


def scores(engine: Engine, given: Sequence[Case]) -> dict[str, float]:
    """PSNR in dB by task and kind of prompt, the mean over clips."""
    found: dict[str, list[float]] = {}
    for case in given:
        for kind, prompt in ((KNOWN, case.prompt), (FOUND, None)):
            found.setdefault(case.task + kind, []).append(psnr(restored(engine, case, prompt), case.clean))
    return {name: float(np.mean(values)) for name, values in found.items()}


def restored(engine: Engine, case: Case, prompt: Weights | None) -> Planar:
    """The clip from a forgotten state on; without a prompt the estimate is followed as in a call."""
    cache, average = engine.new_cache(), None
    planes: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]] = []
    for y, uv in zip(*case.bad, strict=True):
        weights = prompt
        if weights is None:
            weights = np.zeros_like(case.prompt) if average is None else prompt_from_estimate(average, TASKS)
        given = StepInputs(y[None].copy(), uv[None].copy(), case.regions, weights[None], 1.0)
        out = engine.step(given, cache)
        average = follow_estimate(average, weighed(out.prompt_hat[0], y[0], TASKS))
        planes.append((out.y.copy(), out.uv.copy()))
    return np.concatenate([y for y, _ in planes]), np.concatenate([uv for _, uv in planes])


def losses(before: Mapping[str, float], after: Mapping[str, float]) -> list[Loss]:
    """Task by task."""
    return [Loss(name, before[name], after[name]) for name in before]


def worst(found: Sequence[Loss]) -> Loss:
    """The task that loses most."""
    return max(found, key=lambda loss: loss.db)


def report(name: str, found: Sequence[Loss]) -> str:
    """A line for each task."""
    rows = [f"{name}: PSNR on dev, dB", f"{'task':<22}{'float32':>9}{'int8':>9}{'lost':>8}"]
    return "\n".join(rows + [f"{e.task:<22}{e.before:>9.2f}{e.after:>9.2f}{e.db:>8.2f}" for e in found])
