"""What a call does to one clip, drawn for training: drifting levels, camera processing, encoders, frozen frames."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from training.camera import Camera, lit, processed, sample_camera
from training.codec import Coding, code_smaller
from training.degrade import (
    TASKS,
    Floats,
    Planar,
    compression,
    compression_level,
    optics_and_sensor,
    prompt_weight,
    rounded,
    sample_degradation,
    to_planes,
)
from training.faces import Picture

WIDER_SHARE, WIDEST = 0.12, 1.25
"""This share of levels lies above 1, up to the widest: there the prompt says 1."""
SMALLER_SHARE, SMALLEST = 0.25, 1.7
"""The same for lost resolution: a program that shows a caller small, or blown up from a thumbnail, goes further."""
STEADY_SHARE = 0.4
"""Share of levels that do not drift at all."""
CALL_CODEC_SHARE = 0.15
"""Share of damaged clips without visible compression that went through a call's encoder nevertheless: most do, at rates
that hardly show on a clean picture; with more of them, what noise and blur look like themselves is seldom seen."""
LOWEST_RATE, HIGHEST_RATE = 35_000, 200_000
"""Bits a second for 256x256 pixels: a 720p call of .5 to 2.8 Mbit/s."""
HALF_SHARE, SHRUNK_SHARE = 0.2, 0.3
"""How often compression goes with half the size, and with another smaller one."""
FREEZE_SHARE, HALF_RATE_SHARE = 0.03, 0.02
"""Clips in which frames are lost, and those from a camera of half the frame rate."""
STEADY_TASKS = ("low resolution", "rain")
"""What does not drift: a program changes a size at once, and drops that fall cannot be more than they were."""
PRESETS = ("ultrafast", "superfast", "veryfast")


@dataclass(frozen=True, slots=True)
class Call:
    """What happens to a clip of T frames."""

    levels: dict[str, Floats] = field(default_factory=dict)
    """Per task that is present but compression, the level of each frame, [T]"""
    camera: Camera = field(default_factory=Camera)
    coding: Coding | None = None
    factor: float = 1.0
    """The encoder gets so many times fewer rows and columns"""
    shown: tuple[int, ...] = ()
    """Which frame is shown at each instant: a frozen picture repeats one. Empty: each its own"""


def sample_call(rng: np.random.Generator, frames: int) -> Call:
    """Draw what happens; 12 % of the clips stay clean."""
    what = sample_degradation(rng)
    shown = _shown(rng, frames)
    if not what.levels:
        return Call(shown=shown)
    levels = {task: _drawn(rng, task, level, frames) for task, level in what.levels.items() if task != "compression"}
    camera = Camera()
    if ("noise" in levels or "low light" in levels) and rng.random() < 0.5:
        camera = sample_camera(rng)
    coding, factor = None, 1.0
    if "compression" in what.levels:
        coding, factor = _sample_coding(rng, what.levels["compression"], frames)
    elif rng.random() < CALL_CODEC_SHARE:
        coding = _at_a_rate(rng, frames, 2 * LOWEST_RATE)
    return Call(levels, camera, coding, factor, shown)


def happen(frames: list[Picture], call: Call, rng: np.random.Generator) -> tuple[Planar, Floats]:
    """Put frames of equal, even size through the call.

    Returns:
        Planes of the frames before any of them freezes, and the prompt that describes each, [T, len(TASKS)].
    """
    prompts = np.zeros((len(frames), len(TASKS)), np.float32)
    for task, levels in call.levels.items():
        # The part that the camera takes away is no longer there to be removed.
        left = 1 - 0.7 * call.camera.denoise if task == "noise" else 1.0
        prompts[:, TASKS.index(task)] = prompt_weight(np.clip(levels * left, 0, 1))
    pictures = lit([f.astype(np.float32) for f in frames], call.camera)
    pictures = processed(optics_and_sensor(pictures, call.levels, rng), call.camera)
    planes = to_planes(rounded(pictures))
    if call.coding is not None:
        planes, coarseness = code_smaller(planes, call.coding, call.factor)
        seen = compression_level(coarseness, call.factor)
        # Down to a tenth: finer than what level 0 stands for, yet something was done.
        prompts[:, TASKS.index("compression")] = np.clip(prompt_weight(seen), 0.1, 1)
    return planes, prompts


def _drawn(rng: np.random.Generator, task: str, level: float, frames: int) -> Floats:
    """A level that swings slowly about its mean, by .15 at most; no level is below 0."""
    share, widest = (SMALLER_SHARE, SMALLEST) if task == "low resolution" else (WIDER_SHARE, WIDEST)
    if rng.random() < share:
        level = 1 + (widest - 1) * level
    swing = 0.0 if rng.random() < STEADY_SHARE or task in STEADY_TASKS else float(rng.uniform(0, 0.15))
    pace, phase = float(rng.uniform(0.03, 0.4)), float(rng.uniform(0, 2 * np.pi))
    return np.asarray(np.clip(level + swing * np.sin(phase + pace * np.arange(frames)), 0, widest), np.float32)


def _sample_coding(rng: np.random.Generator, level: float, frames: int) -> tuple[Coding, float]:
    """Half of the encoders hold a quality, the others a rate, as calls do; some get a smaller picture."""
    size = rng.random()
    if rng.random() < 0.5:
        factor, quality = compression(level, bool(size < HALF_SHARE + SHRUNK_SHARE))
        coding = Coding(
            codec="vp8" if rng.random() < 0.5 else "h264",
            preset=str(rng.choice(PRESETS)),
            quality=quality,
            warm_up=int(rng.integers(1, 8)),
            keys=_keys(rng, frames),
        )
        return coding, factor
    return _at_a_rate(rng, frames, LOWEST_RATE), 2.0 if size < HALF_SHARE else 1.0


def _at_a_rate(rng: np.random.Generator, frames: int, lowest: int) -> Coding:
    """A rate that changes once within a clip in three."""
    first, second = np.exp(rng.uniform(np.log(lowest), np.log(HIGHEST_RATE), 2))
    change = int(rng.integers(1, frames)) if frames > 1 and rng.random() < 1 / 3 else frames
    return Coding(
        codec="vp8" if rng.random() < 0.5 else "h264",
        preset=str(rng.choice(PRESETS)),
        rates=tuple(int(first if index < change else second) for index in range(frames)),
        warm_up=int(rng.integers(2, 12)),
        keys=_keys(rng, frames),
    )


def _keys(rng: np.random.Generator, frames: int) -> tuple[int, ...]:
    return (int(rng.integers(frames)),) if rng.random() < 0.15 else ()


def _shown(rng: np.random.Generator, frames: int) -> tuple[int, ...]:
    """Mostly every frame; seldom one that stays for some instants, or each one twice."""
    chance = rng.random()
    if chance < FREEZE_SHARE and frames > 2:
        start = int(rng.integers(0, frames - 1))
        length = int(rng.integers(1, min(4, frames - start)))
        return tuple(start if start < i <= start + length else i for i in range(frames))
    if chance < FREEZE_SHARE + HALF_RATE_SHARE:
        return tuple(i // 2 * 2 for i in range(frames))
    return ()
