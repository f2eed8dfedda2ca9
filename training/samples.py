"""Endless training samples: degraded and clean clips with regions and the prompt that describes the damage."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from engines.errors import BadInput
from stream.face.regions import REGION_NAMES, region_maps
from training.call import happen, sample_call
from training.degrade import Planar, to_planes
from training.faces import FaceFile, Picture, load_clip, load_still
from training.motion import render, sample_path

BLOCK = 16
"""Crops lie on this grid of pixels, as a call's do: so do the blocks that encoders leave."""
REGION_DROPOUT = 0.3
"""A lost tracker must be harmless: this share of clips comes without region maps."""
REAL_CLIP_SHARE = 0.05
RECOLOUR_SHARE = 0.35
"""Share of clips in other colours: portraits show skin and grey walls only, and over a blue wall the chroma drifted."""
CLIP_FRAMES = 300
"""Of a longer clip only the beginning is used: a worker keeps decoded clips in memory."""

_LEFT_EYE, _RIGHT_EYE = REGION_NAMES.index("left_eye"), REGION_NAMES.index("right_eye")

Landmarks = dict[str, NDArray[np.float32]]
"""File name to [468, 2] landmarks in pixels of the still; files without a found face are missing."""


@dataclass(frozen=True, slots=True)
class SampleShape:
    """Sizes of a sample, in frames and pixels."""

    frames: int = 6
    canvas: int = 192
    """Edge of the degraded picture: compression and blur see more than the crop"""
    crop: int = 160
    """Edge of the crop the generator gets; a multiple of its token stride"""
    stride: int = 16
    """Pixels per cell of the region maps: the generator's latent stride"""


class Samples(IterableDataset[dict[str, Tensor]]):
    """Yields dicts of [T, ...] tensors: y, uv, clean_y, clean_uv (0..1), regions, clean_regions, prompt.

    `regions` are what a tracker finds, at times nothing; `clean_regions` what is there.

    The stream depends on the seed and the worker's number alone.
    """

    def __init__(self, files: list[FaceFile], landmarks: Landmarks, shape: SampleShape, seed: int) -> None:
        """Refuse files without a still, and clips that cannot be read or are smaller than the canvas (BadInput)."""
        self.stills = [f for f in files if not f.clip]
        self.clips = [f for f in files if f.clip]
        self.landmarks, self.shape, self.seed = landmarks, shape, seed
        if not self.stills:
            raise BadInput("no stills among the training files: clips alone show neither regions nor enough faces")
        for file in self.clips:
            height, width = load_clip(file.path, 1)[0].shape[:2]
            if min(height, width) < shape.canvas:
                raise BadInput(f"{file.path}: {width}x{height}, smaller than {shape.canvas} pixels")

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        """Draw samples for ever."""
        cv2.setNumThreads(1)
        worker = get_worker_info()
        rng = np.random.default_rng([self.seed, worker.id if worker else 0])
        while True:
            yield self.draw(rng)

    def draw(self, rng: np.random.Generator) -> dict[str, Tensor]:
        """Make one sample."""
        shape = self.shape
        if self.clips and rng.random() < REAL_CLIP_SHARE:
            frames, points = self._from_clip(rng), None
        else:
            frames, points = self._from_still(rng)
        mirror = rng.random() < 0.5
        if rng.random() < RECOLOUR_SHARE:
            frames = recoloured(frames, rng)
        call = sample_call(rng, len(frames))
        x, y = (BLOCK * int(v) for v in rng.integers(0, (shape.canvas - shape.crop) // BLOCK + 1, 2))
        grid = shape.crop // shape.stride
        regions = np.zeros((len(frames), len(REGION_NAMES), grid, grid), np.float32)
        if points is not None:
            regions[:] = [region_maps(p, x, y, shape.crop, grid) for p in points]
        seen = regions if rng.random() >= REGION_DROPOUT else np.zeros_like(regions)
        damaged, prompts = happen(frames, call, rng)
        bad_y, bad_uv = _crop(damaged, x, y, shape.crop)
        clean_y, clean_uv = _crop(to_planes(frames), x, y, shape.crop)
        sample = {
            "y": bad_y,
            "uv": bad_uv,
            "clean_y": clean_y,
            "clean_uv": clean_uv,
            "regions": torch.from_numpy(seen),
            "clean_regions": torch.from_numpy(regions),
            "prompt": torch.from_numpy(prompts),
        }
        if call.shown:
            # Where the picture freezes, the frozen one restored is what is wanted.
            sample = {name: tensor[list(call.shown)] for name, tensor in sample.items()}
        return mirrored(sample) if mirror else sample

    def _from_still(self, rng: np.random.Generator) -> tuple[list[Picture], list[NDArray[np.float32]] | None]:
        file = self.stills[int(rng.integers(len(self.stills)))]
        still = _cached_still(file)
        path = sample_path(rng, self.shape.frames, still.shape[:2], self.shape.canvas)
        frames = render(still, path, self.shape.canvas)
        points = self.landmarks.get(file.path.name)
        if points is None:
            return frames, None
        return frames, [(points @ m[:, :2].T + m[:, 2]).astype(np.float32) for m in path.matrices]

    def _from_clip(self, rng: np.random.Generator) -> list[Picture]:
        frames = _cached_clip(self.clips[int(rng.integers(len(self.clips)))])
        start = int(rng.integers(0, max(1, len(frames) - self.shape.frames + 1)))
        height, width = frames[0].shape[:2]
        size = self.shape.canvas
        x, y = int(rng.integers(0, width - size + 1)), int(rng.integers(0, height - size + 1))
        return [frames[min(start + i, len(frames) - 1)][y : y + size, x : x + size] for i in range(self.shape.frames)]


def mirrored(sample: dict[str, Tensor]) -> dict[str, Tensor]:
    """A sample seen in a mirror."""
    out = {name: tensor if name == "prompt" else tensor.flip(-1) for name, tensor in sample.items()}
    # Left and right are the person's own.
    for regions in (out["regions"], out["clean_regions"]):
        regions[:, [_LEFT_EYE, _RIGHT_EYE]] = regions[:, [_RIGHT_EYE, _LEFT_EYE]]
    return out


def recoloured(frames: list[Picture], rng: np.random.Generator) -> list[Picture]:
    """All frames [H,W,3] under one random mixing of their colours."""
    matrix = np.eye(3) + rng.normal(0.0, 0.2, (3, 3))
    shift = rng.uniform(-25, 25, 3)
    mixing = np.hstack([matrix, shift[:, None]])
    return [np.clip(np.rint(cv2.transform(f.astype(np.float32), mixing)), 0, 255).astype(np.uint8) for f in frames]


def sample_loader(data: IterableDataset[dict[str, Tensor]], batch: int, workers: int) -> Iterator[dict[str, Tensor]]:
    """Batches of samples for ever, drawn by so many processes of their own; 0 draws them in this one."""
    if workers == 0:
        return iter(DataLoader(data, batch))
    # Spawned, not forked: a fork of a process that has run OpenCV or LiteRT threads can hang.
    loader = DataLoader(data, batch, num_workers=workers, prefetch_factor=4, multiprocessing_context="spawn")
    # Ctrl-C reaches all processes of a terminal: the workers, born deaf to it, leave the answer to this one.
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return iter(loader)
    finally:
        signal.signal(signal.SIGINT, previous)


@lru_cache(maxsize=512)
def _cached_still(file: FaceFile) -> Picture:
    return load_still(file.path)


@lru_cache(maxsize=4)
def _cached_clip(file: FaceFile) -> list[Picture]:
    return load_clip(file.path, CLIP_FRAMES)


def _crop(planes: Planar, x: int, y: int, size: int) -> tuple[Tensor, Tensor]:
    luma = planes[0][:, :, y : y + size, x : x + size]
    chroma = planes[1][:, :, y // 2 : (y + size) // 2, x // 2 : (x + size) // 2]
    return torch.from_numpy(luma.astype(np.float32) / 255), torch.from_numpy(chroma.astype(np.float32) / 255)
