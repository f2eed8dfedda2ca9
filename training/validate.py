"""Quality on a fixed set of people who are never trained on: PSNR per task, before and after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generator.model import Frame, Generator, Output
from stream.face.regions import region_maps
from stream.prompt import Weights, follow_estimate, prompt_from_estimate
from training.degrade import TASKS, Degradation, Planar, degrade, to_planes
from training.faces import Picture, list_faces, load_clip, load_still
from training.measures import psnr

LEVEL = 0.5
FRAMES = 4
"""Frames a clip is judged over; a still stands for this many."""

FindLandmarks = Callable[[Picture], NDArray[np.float32] | None]
"""Takes a picture, returns landmarks [468, 2] in pixels, or None."""


@dataclass(frozen=True, slots=True)
class Score:
    """PSNR in dB over all samples of the Y and UV planes, the mean over files."""

    task: str
    before: float
    after: float
    """with the right prompt"""
    auto: float
    """with the generator's own estimate, as a live call follows it"""


def dev_clips(folder: Path, size: int, limit: int | None = None) -> list[list[Picture]]:
    """Per file, frames cut to the centre `size` square (less where the file is smaller), at native resolution.

    Raises:
        BadInput: There are no files, or one cannot be read.
    """
    files = list_faces(folder)
    if limit is not None:
        files = files[:: max(1, len(files) // limit)][:limit]
    out = []
    for file in files:
        frames = load_clip(file.path, FRAMES) if file.clip else [load_still(file.path)] * FRAMES
        height, width = frames[0].shape[:2]
        edge = min(size, height // 32 * 32, width // 32 * 32)
        top, left = (height - edge) // 2, (width - edge) // 2
        out.append([np.ascontiguousarray(f[top : top + edge, left : left + edge]) for f in frames])
    return out


def validate(generator: Generator, clips: list[list[Picture]], find: FindLandmarks | None) -> list[Score]:
    """Score every task at the middle level, and the clean input; deterministic. `find` looks at the clean picture."""
    maps = [_regions(generator, frames[0], find) for frames in clips]
    scores = []
    for task in (*TASKS, "clean"):
        what = Degradation({} if task == "clean" else {task: LEVEL})
        rows = []
        for index, (frames, regions) in enumerate(zip(clips, maps, strict=True)):
            bad, clean = degrade(frames, what, np.random.default_rng([7, index])), to_planes(frames)
            after = restore(generator, bad, regions, np.tile(what.prompt(), (len(frames), 1)))
            auto = restore(generator, bad, regions, None)
            rows.append((psnr(bad, clean), psnr(after, clean), psnr(auto, clean)))
        before, after_mean, auto_mean = (float(v) for v in np.mean(rows, axis=0))
        scores.append(Score(task, before, after_mean, auto_mean))
    return scores


def _regions(generator: Generator, picture: Picture, find: FindLandmarks | None) -> NDArray[np.float32]:
    edge = picture.shape[0]
    grid = edge // generator.config.latent_stride
    points = find(picture) if find else None
    if points is None:
        return np.zeros((len(generator.config.regions), grid, grid), np.float32)
    return region_maps(points, 0, 0, edge, grid)


@torch.no_grad()
def restore(generator: Generator, bad: Planar, regions: NDArray[np.float32], prompts: Weights | None) -> Planar:
    """Run a clip of T frames through the generator at full strength, from a forgotten state.

    Args:
        generator: In evaluation mode.
        bad: The clip's planes.
        regions: [R, h, w], the same for all frames.
        prompts: [T, P]; without them it follows its own estimate as a live call does.
    """
    count = bad[0].shape[0]
    y, uv = (torch.from_numpy(p.astype(np.float32) / 255) for p in bad)
    maps = torch.from_numpy(regions)[None, None].expand(1, count, *regions.shape)

    def run(prompts: Weights) -> Output:
        ones = torch.ones(1, count, 1)
        return generator.clip(Frame(y[None], uv[None], maps, torch.from_numpy(prompts)[None], ones))

    if prompts is None:
        average, followed = None, []
        for estimate in run(np.zeros((count, len(generator.config.prompts)), np.float32)).prompt_hat.numpy():
            average = follow_estimate(average, estimate)
            followed.append(prompt_from_estimate(average))
        prompts = np.stack(followed)
    out = run(prompts)
    return _bytes(y + out.change_y), _bytes(uv + out.change_uv)


def _bytes(planes: Tensor) -> NDArray[np.uint8]:
    return np.asarray((planes * 255).round().clamp(0, 255).to(torch.uint8).numpy(), np.uint8)
