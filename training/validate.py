"""Quality on a fixed set of people who are never trained on: PSNR per task, before and after."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from generator.config import LATENT_STRIDE
from generator.model import Generator
from stream.face.regions import region_maps
from training.degrade import TASKS, Degradation, Planar, degrade, to_planes
from training.faces import FaceFile, Picture, list_faces, load_clip, load_still
from training.landmarks import StillLandmarks

LEVEL = 0.5
FRAMES = 4
"""Frames a clip is judged over; a still stands for this many."""


@dataclass(frozen=True, slots=True)
class Score:
    """PSNR in dB over all samples of the Y and UV planes, the mean over files."""

    task: str
    before: float
    after: float
    """with the right prompt"""
    auto: float
    """with the generator's own estimate"""


def psnr(a: Planar, b: Planar) -> float:
    """PSNR in dB of 8-bit planes, every sample of Y, U and V counted alike; 99 for equal planes."""
    squares = sum(float(((p.astype(np.float64) - q) ** 2).sum()) for p, q in zip(a, b, strict=True))
    mean = squares / sum(p.size for p in a)
    return 99.0 if mean == 0 else float(10 * np.log10(255**2 / mean))


def dev_clips(folder: Path, size: int, limit: int | None = None) -> list[tuple[FaceFile, list[Picture]]]:
    """Per file, frames cut to the centre `size` square (less where the file is smaller), at native resolution."""
    files = list_faces(folder)
    if limit is not None:
        files = files[:: max(1, len(files) // limit)][:limit]
    out = []
    for file in files:
        frames = load_clip(file.path, FRAMES) if file.clip else [load_still(file.path)] * FRAMES
        height, width = frames[0].shape[:2]
        edge = min(size, height // 32 * 32, width // 32 * 32)
        top, left = (height - edge) // 2, (width - edge) // 2
        out.append((file, [np.ascontiguousarray(f[top : top + edge, left : left + edge]) for f in frames]))
    return out


def validate(
    generator: Generator, clips: list[tuple[FaceFile, list[Picture]]], find: StillLandmarks | None
) -> list[Score]:
    """Score every task at the middle level, and the clean input; deterministic."""
    scores = []
    for task in (*TASKS, "clean"):
        rows = []
        for index, (_, frames) in enumerate(clips):
            what = Degradation({} if task == "clean" else {task: LEVEL})
            bad = degrade(frames, what, np.random.default_rng([7, index]))
            clean = to_planes(frames)
            edge = frames[0].shape[0]
            # The tracker sees what the call sees: the degraded picture would be fairer still, but stills are found once.
            points = find(frames[0]) if find else None
            regions = np.zeros((len(generator.config.regions), edge // LATENT_STRIDE, edge // LATENT_STRIDE), np.float32)
            if points is not None:
                regions = region_maps(points, 0, 0, edge, edge // LATENT_STRIDE)
            after = restore(generator, bad, regions, what.prompt())
            auto = restore(generator, bad, regions, None)
            rows.append((psnr(bad, clean), psnr(after, clean), psnr(auto, clean)))
        before, after_mean, auto_mean = (float(v) for v in np.mean(rows, axis=0))
        scores.append(Score(task, before, after_mean, auto_mean))
    return scores


@torch.no_grad()
def restore(generator: Generator, bad: Planar, regions: np.ndarray, prompt: np.ndarray | None) -> Planar:  # type: ignore[type-arg]
    """Run a clip of T frames through the generator at full strength; without a prompt it follows its own estimate."""
    count = bad[0].shape[0]
    y, uv = (torch.from_numpy(p.astype(np.float32) / 255)[None] for p in bad)
    given = torch.zeros(1, count, len(generator.config.prompts))
    if prompt is not None:
        given += torch.from_numpy(prompt)
    maps = torch.from_numpy(regions)[None, None].expand(1, count, *regions.shape)
    ones = torch.ones(1, count, 1)
    out = generator.clip(y, uv, maps, given, ones, ones if prompt is None else None)
    return _bytes(y[0] + out.change_y), _bytes(uv[0] + out.change_uv)


def _bytes(planes: Tensor) -> np.ndarray:  # type: ignore[type-arg]
    return (planes * 255).round().clamp(0, 255).to(torch.uint8).numpy()
