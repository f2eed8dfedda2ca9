"""Endless training samples: degraded and clean clips with regions and the prompt that describes the damage."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from engines.errors import BadInput
from stream.face.regions import REGION_NAMES, region_maps
from training.animate import Clip, Face, animate, clip_flow
from training.call import happen, sample_call
from training.degrade import Planar, to_planes
from training.faces import FaceFile, Picture, load_clip, load_still
from training.morph import Morph, find_morph

BLOCK = 16
"""Crops lie on this grid of pixels, as a call's do: so do the blocks that encoders leave."""
REGION_DROPOUT = 0.3
"""A lost tracker must be harmless: this share of clips comes without region maps."""
REAL_CLIP_SHARE = 0.05
MORPH_SHARE = 0.4
"""Of the clips of a person of whom there are two stills; of these in turn only the lively ones move."""
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

    With `motion` also flow [T-1,2,h,w] in pixels of the crop, x and y: what is at p in frame t+1 is at p + flow[t](p)
    in frame t; and visible [T-1,1,h,w], 1 where that is so and 0 where it was outside or hidden, or nothing is known.

    The stream depends on the seed and the worker's number alone.
    """

    def __init__(
        self, files: list[FaceFile], landmarks: Landmarks, shape: SampleShape, seed: int, motion: bool = False
    ) -> None:
        """Refuse files without a still, and clips that cannot be read or are smaller than the canvas (BadInput)."""
        self.stills = [f for f in files if not f.clip]
        self.clips = [f for f in files if f.clip]
        self.landmarks, self.shape, self.seed, self.motion = landmarks, shape, seed, motion
        if not self.stills:
            raise BadInput("no stills among the training files: clips alone show neither regions nor enough faces")
        for file in self.clips:
            height, width = load_clip(file.path, 1)[0].shape[:2]
            if min(height, width) < shape.canvas:
                raise BadInput(f"{file.path}: {width}x{height}, smaller than {shape.canvas} pixels")
        known = [f for f in self.stills if f.path.name in landmarks]
        self._others = {f: [o for o in known if o.identity == f.identity and o != f] for f in known}
        self._morphs: dict[tuple[FaceFile, FaceFile], Morph | None] = {}

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
            clip = self._from_clip(rng)
        else:
            clip = self._from_still(rng)
        frames, points = clip.frames, clip.points
        mirror = rng.random() < 0.5
        if rng.random() < RECOLOUR_SHARE:
            frames = recoloured(frames, rng)
        call = sample_call(rng, len(frames))
        x, y = (BLOCK * int(v) for v in rng.integers(0, (shape.canvas - shape.crop) // BLOCK + 1, 2))
        grid = shape.crop // shape.stride
        regions = np.zeros((len(frames), len(REGION_NAMES), grid, grid), np.float32)
        if points:
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
        if self.motion:
            flow, visible = clip_flow(clip, call.shown)
            cut = slice(y, y + shape.crop), slice(x, x + shape.crop)
            sample["flow"], sample["visible"] = (torch.from_numpy(m[:, :, *cut].copy()) for m in (flow, visible))
            _forget_outside(sample["flow"], sample["visible"])
        return mirrored(sample) if mirror else sample

    def _from_still(self, rng: np.random.Generator) -> Clip:
        file = self.stills[int(rng.integers(len(self.stills)))]
        face = Face(_cached_still(file), self.landmarks.get(file.path.name))
        others = self._others.get(file)
        if others and rng.random() < MORPH_SHARE:
            other = others[int(rng.integers(len(others)))]
            face = replace(face, other=_cached_still(other), morph=self._morph(file, other, face.still))
        return animate(rng, face, self.shape.frames, self.shape.canvas)

    def _morph(self, file: FaceFile, other: FaceFile, still: Picture) -> Morph | None:
        if (file, other) not in self._morphs:
            one, two = (self.landmarks[f.path.name] for f in (file, other))
            self._morphs[file, other] = find_morph(one, two, (still.shape[0], still.shape[1]))
        return self._morphs[file, other]

    def _from_clip(self, rng: np.random.Generator) -> Clip:
        frames = _cached_clip(self.clips[int(rng.integers(len(self.clips)))])
        start = int(rng.integers(0, max(1, len(frames) - self.shape.frames + 1)))
        height, width = frames[0].shape[:2]
        size = self.shape.canvas
        x, y = int(rng.integers(0, width - size + 1)), int(rng.integers(0, height - size + 1))
        shown = [frames[min(start + i, len(frames) - 1)] for i in range(self.shape.frames)]
        return Clip([f[y : y + size, x : x + size] for f in shown])


def mirrored(sample: dict[str, Tensor]) -> dict[str, Tensor]:
    """A sample seen in a mirror."""
    out = {name: tensor if name == "prompt" else tensor.flip(-1) for name, tensor in sample.items()}
    if "flow" in out:
        out["flow"][:, 0] *= -1
    # Left and right are the person's own.
    for regions in (out["regions"], out["clean_regions"]):
        regions[:, [_LEFT_EYE, _RIGHT_EYE]] = regions[:, [_RIGHT_EYE, _LEFT_EYE]]
    return out


def _forget_outside(flow: Tensor, visible: Tensor) -> None:
    """What comes from outside the crop cannot be looked up in it."""
    height, width = flow.shape[2:]
    x, y = flow[:, 0] + torch.arange(width), flow[:, 1] + torch.arange(height)[:, None]
    inside = (x >= -0.01) & (y >= -0.01) & (x <= width - 0.99) & (y <= height - 0.99)
    visible *= inside[:, None]
    flow *= visible


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
