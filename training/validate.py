"""Quality on a fixed set of people who are never trained on, per task: PSNR before and after, and more of `auto`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generator.model import Frame, Generator
from stream.face.regions import region_maps
from stream.prompt import WHOLE, Weights, as_needed, follow_estimate, prompt_from_estimate
from stream.tone.haze import weighed
from training.degrade import TASKS, Degradation, Planar, degrade, to_planes
from training.dev_clips import DevClip
from training.faces import Picture
from training.measures import Mask, exposure_free_psnr, face_masks, psnr, psnr_within, sharpness, ssim
from training.planar import Floats, bgr_frame
from training.warp_error import Motion, warp_errors

LEVEL = 0.5

FindLandmarks = Callable[[Picture], NDArray[np.float32] | None]
"""Takes a picture, returns landmarks [468, 2] in pixels, or None."""


@dataclass(frozen=True, slots=True)
class Score:
    """Of one task, the mean over files. PSNR in dB, over all samples of the Y and UV planes."""

    task: str
    before: float
    after: float
    """with the right prompt"""
    auto: float
    """with the generator's own estimate, as a live call follows it"""
    word: float
    """with the task's name alone, how much left to the estimate: what a caller can tell"""
    more: dict[str, float]
    """What else there is to say of `auto`, by the names and in the units of `clearcall bench quality`: ssim, psnr_face,
    exposure_free, sharpness, ewarp; without those that no file has a figure of"""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a clean clip."""

    clean: Planar
    regions: Floats
    """[T, R, h, w]"""
    face: Mask | None
    motion: list[Motion] | None


def validate(generator: Generator, clips: list[DevClip], find: FindLandmarks | None) -> list[Score]:
    """Score every task at the middle level, and the clean input; deterministic.

    Args:
        generator: In evaluation mode.
        clips: Of `dev_clips`.
        find: Looks at the first clean frame of each.
    """
    known = [_look(generator, clip, find) for clip in clips]
    scores = []
    for task in (*TASKS, "clean"):
        what = Degradation({} if task == "clean" else {task: LEVEL})
        rows, more = [], []
        for index, (clip, there) in enumerate(zip(clips, known, strict=True)):
            bad = degrade(clip.frames, what, np.random.default_rng([7, index]))
            averages = averages_of_a_call(generator, bad)
            after = restore(generator, bad, there.regions, np.tile(what.prompt(), (len(averages), 1)))
            word = restore(generator, bad, there.regions, word_prompts(what, averages))
            auto = restore(generator, bad, there.regions, auto_prompts(averages))
            rows.append([psnr(planes, there.clean) for planes in (bad, after, auto, word)])
            more.append(_more(auto, there))
        before, after_mean, auto_mean, word_mean = (float(v) for v in np.mean(rows, axis=0))
        scores.append(Score(task, before, after_mean, auto_mean, word_mean, _means(more)))
    return scores


def _look(generator: Generator, clip: DevClip, find: FindLandmarks | None) -> _Known:
    edge = clip.frames[0].shape[0]
    grid = edge // generator.config.latent_stride
    found = find(clip.frames[0]) if find else None
    points = None if found is None else clip.follow(found)
    regions = [region_maps(None if points is None else points[i], 0, 0, edge, grid) for i in range(len(clip.frames))]
    face = None if points is None else face_masks(points, edge, edge)
    return _Known(to_planes(clip.frames), np.stack(regions), face, clip.motion())


def _more(out: Planar, known: _Known) -> dict[str, float]:
    found = {
        "ssim": ssim(out, known.clean),
        "psnr_face": None if known.face is None else psnr_within(out, known.clean, known.face),
        "exposure_free": exposure_free_psnr(out, known.clean),
        "sharpness": sharpness(out, known.clean, known.face),
        "ewarp": None,
    }
    if known.motion is not None:
        found["ewarp"], _ = warp_errors([bgr_frame(out, index) for index in range(len(out[0]))], known.motion)
    return {name: value for name, value in found.items() if value is not None}


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    """By name, over the rows that have it; in the first one's order."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: float(np.mean([row[name] for row in rows if name in row])) for name in names}


@torch.no_grad()
def averages_of_a_call(generator: Generator, bad: Planar) -> list[Weights]:
    """The slow average of estimates [P] that a live call has at each frame of a clip of T."""
    raw = generator.estimated(generator.encode(*_floats(bad))).numpy()
    estimates = [weighed(one, luma[0], TASKS) for one, luma in zip(raw, bad[0], strict=True)]
    # The first look at a face tells what it needs; after that, each frame is restored before its estimate is known.
    average = follow_estimate(None, estimates[0])
    averages = []
    for estimate in estimates:
        averages.append(average)
        average = follow_estimate(average, estimate)
    return averages


def auto_prompts(averages: list[Weights]) -> Weights:
    """What `auto` prompts each frame with, [T, P]."""
    return np.stack([prompt_from_estimate(average, TASKS) for average in averages])


def word_prompts(what: Degradation, averages: list[Weights]) -> Weights:
    """What the mere names of the tasks prompt each frame with, [T, P]."""
    named = np.where(what.prompt() > 0, np.float32(WHOLE), np.float32(0))
    return np.stack([as_needed(named, average) for average in averages])


@torch.no_grad()
def restore(generator: Generator, bad: Planar, regions: Floats, prompts: Weights) -> Planar:
    """Run a clip of T frames through the generator at full strength, from a forgotten state.

    Args:
        generator: In evaluation mode.
        bad: The clip's planes.
        regions: [T, R, h, w].
        prompts: [T, P].
    """
    y, uv = _floats(bad)
    maps, weights = torch.from_numpy(regions)[None], torch.from_numpy(prompts)[None]
    out = generator.clip(Frame(y[None], uv[None], maps, weights, torch.ones(1, len(y), 1)))
    return _bytes(y + out.change_y), _bytes(uv + out.change_uv)


def _floats(planes: Planar) -> tuple[Tensor, Tensor]:
    y, uv = (torch.from_numpy(p.astype(np.float32) / 255) for p in planes)
    return y, uv


def _bytes(planes: Tensor) -> NDArray[np.uint8]:
    return np.asarray((planes * 255).round().clamp(0, 255).to(torch.uint8).numpy(), np.uint8)
