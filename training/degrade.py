"""What a call does to a picture: weather, blur, darkness, sensor noise, lost resolution, compression.

A clip shares its parameters, or they drift slowly: that is what makes a temporal model worth having. Strengths are
levels in 0..1 per task; the prompt weight of a task that is present runs from .25 to 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from stream.prompt import LEAST, WHOLE
from training.codec import Coding, code, code_smaller
from training.codec import Planar as Planar
from training.faces import Picture
from training.weather import add_haze, add_rain

Floats = NDArray[np.float32]
Levels = Mapping[str, Floats]
"""Per task that is present, the level of each frame, [T]"""

TASKS = ("noise", "compression", "low light", "blur", "low resolution", "haze", "rain")
CLEAN_SHARE = 0.12
SINGLE_SHARE = 0.75
"""Share of the damaged clips that have one task only: in mixtures, darkness and noise hide what blur and blocks do, and
with more of them the generator learned to leave those two alone."""
SHARES = (0.14, 0.2, 0.2, 0.18, 0.14, 0.07, 0.07)
"""How often each task is drawn: those with the faintest errors most often."""
GAMMA = 2.2
KERNEL = 19
WARM_UP_FRAMES = 1


@dataclass(frozen=True, slots=True)
class Degradation:
    """Level in 0..1 for each task that is present."""

    levels: dict[str, float] = field(default_factory=dict)

    def prompt(self) -> Floats:
        """Weights [len(TASKS)], 0 for an absent task, .25 to 1 for a present one."""
        return np.array([prompt_weight(self.levels[t]) if t in self.levels else 0.0 for t in TASKS], np.float32)


def prompt_weight(level: ArrayLike) -> NDArray[np.floating]:
    """What a task that is there at a level of 0..1 is prompted with."""
    return LEAST + (WHOLE - LEAST) * np.asarray(level)


def sample_degradation(rng: np.random.Generator) -> Degradation:
    """Nothing (12 %), one task (three quarters of the rest) or a mixture of two or three."""
    if rng.random() < CLEAN_SHARE:
        return Degradation()
    count = 1 if rng.random() < SINGLE_SHARE else int(rng.integers(2, 4))
    chosen = rng.choice(len(TASKS), count, replace=False, p=SHARES)
    return Degradation({TASKS[i]: float(rng.random()) for i in chosen})


def degrade(frames: list[Picture], what: Degradation, rng: np.random.Generator) -> Planar:
    """Apply the tasks, each at one level all along, in the order in which a camera and a call do it.

    For a level and a state of `rng` it does the same for ever: validation and benchmarks rely on it. Training draws
    wider (`training/call.py`), with levels of the same meaning.
    """
    levels = {task: np.full(len(frames), level) for task, level in what.levels.items()}
    y, uv = to_planes(rounded(optics_and_sensor([f.astype(np.float32) for f in frames], levels, rng)))
    if "compression" in what.levels:
        # Half of the callers' programs also shrink the picture that they cannot afford to send.
        factor, crf = compression(what.levels["compression"], rng.random() < 0.5)
        coding = Coding(quality=crf, warm_up=min(WARM_UP_FRAMES, len(frames) - 1))
        y, uv = code_smaller((y, uv), coding, factor)[0]
    return y, uv


def optics_and_sensor(pictures: list[Floats], levels: Levels, rng: np.random.Generator) -> list[Floats]:
    """All tasks but compression on float pictures [H,W,3] in 0..255, each frame at its own level."""
    if "haze" in levels:
        pictures = add_haze(pictures, levels["haze"], rng)
    if "rain" in levels:
        pictures = add_rain(pictures, float(levels["rain"][0]), rng)
    if "blur" in levels:
        angle = _blur_angle(rng)
        pictures = [_filtered(p, _kernel(v, angle)) for p, v in zip(pictures, levels["blur"], strict=True)]
    if "low light" in levels:
        pictures = [_darkened(p, v) for p, v in zip(pictures, levels["low light"], strict=True)]
    if "low resolution" in levels:
        # A size changes when a program decides so, not slowly: the first frame's level holds.
        pictures = [_shrink_and_grow(p, 1.5 + 2.5 * float(levels["low resolution"][0])) for p in pictures]
    if "noise" in levels:
        pictures = _add_noise(pictures, 3.0 + 30.0 * levels["noise"], rng)
    return pictures


def compression(level: float, shrink: bool) -> tuple[float, float]:
    """How many times fewer rows and columns a level of compression means, and x264's rate factor."""
    return (1.0 + 1.2 * level, 27.0 + 20.0 * level) if shrink and level > 0 else (1.0, 30.0 + 20.0 * level)


def compression_level(coarseness: Floats, factor: float) -> Floats:
    """The level that a rate factor and a shrinking amount to: where both stem from a level, that level."""
    if factor == 1.0:
        return np.asarray((coarseness - 30.0) / 20.0, np.float32)
    return np.asarray(((coarseness - 27.0) / 20.0 + (factor - 1.0) / 1.2) / 2, np.float32)


def blur_kernel(level: float, rng: np.random.Generator) -> Floats:
    """Gaussian defocus (sigma .6 to 3.4 pixels) or, one time in three, motion along a line (3 to 16 pixels)."""
    return _kernel(level, _blur_angle(rng))


def _blur_angle(rng: np.random.Generator) -> float | None:
    """Of a motion; None for a defocus."""
    return float(rng.uniform(0, np.pi)) if rng.random() < 1 / 3 else None


def _kernel(level: float, angle: float | None) -> Floats:
    if angle is None:
        line = np.asarray(cv2.getGaussianKernel(KERNEL, 0.6 + 2.8 * level), np.float32)
        kernel = line @ line.T
    else:
        length = 3.0 + 13.0 * level
        edge = max(KERNEL, 2 * math.ceil(length / 2) + 1)
        kernel = np.zeros((edge, edge), np.float32)
        for step in np.linspace(-length / 2, length / 2, 61):
            x, y = edge // 2 + step * np.cos(angle), edge // 2 + step * np.sin(angle)
            kernel[round(float(y)), round(float(x))] += 1
    return np.asarray(kernel / kernel.sum(), np.float32)


def _filtered(picture: Floats, kernel: Floats) -> Floats:
    return np.asarray(cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_REFLECT), np.float32)


def _darkened(picture: Floats, level: float) -> Floats:
    """-.5 to -3 EV in linear light."""
    gain = 2.0 ** -(0.5 + 2.5 * level)
    table = (255.0 * ((np.arange(256) / 255.0) ** GAMMA * gain) ** (1 / GAMMA)).astype(np.float32).astype(np.float64)
    rise = np.append(np.diff(table), 0.0)
    # As np.interp, to the bit, in a seventh of its time.
    within = np.clip(picture, 0, 255)
    below = within.astype(np.uint8)
    return np.asarray(rise[below] * (within - below) + table[below], np.float32)


def _shrink_and_grow(picture: Floats, factor: float) -> Floats:
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (round(width / factor), round(height / factor)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def _add_noise(pictures: list[Floats], sigmas: Floats, rng: np.random.Generator) -> list[Floats]:
    """Poisson-Gaussian noise of deviation `sigmas` [T] (8-bit units) at mid-grey; sometimes smeared by the camera."""
    shot = float(rng.uniform(0.0, 0.8))
    smear = float(rng.uniform(0.4, 0.8)) if rng.random() < 0.4 else 0.0
    colour = float(rng.uniform(0.3, 1.0))
    out: list[Floats] = []
    for picture, sigma in zip(pictures, sigmas, strict=True):
        noise = rng.standard_normal(picture.shape, np.float32)
        grey = noise[:, :, :1]
        noise = grey + colour * (noise - grey)
        if smear:
            noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), smear), np.float32)
            noise /= float(noise.std())
        deviation = float(sigma) * np.sqrt(1 - shot + shot * np.clip(picture, 0, 255) / 128.0)
        out.append(np.asarray(picture + deviation * noise, np.float32))
    return out


def rounded(pictures: list[Floats]) -> list[Picture]:
    """To bytes."""
    return [np.clip(np.round(p), 0, 255).astype(np.uint8) for p in pictures]


def to_planes(frames: list[Picture]) -> Planar:
    """BGR frames of even size to BT.601 limited-range planes."""
    height, width = frames[0].shape[:2]
    stacked = np.stack([cv2.cvtColor(f, cv2.COLOR_BGR2YUV_I420) for f in frames])
    y = stacked[:, :height].reshape(-1, 1, height, width)
    uv = stacked[:, height:].reshape(-1, 2, height // 2, width // 2)
    return np.ascontiguousarray(y), np.ascontiguousarray(uv)


def compress(y: NDArray[np.uint8], uv: NDArray[np.uint8], crf: float) -> Planar:
    """Encode and decode with x264 as a call does (no look-ahead, no B frames) at a constant rate factor."""
    return code((y, uv), Coding(quality=crf, warm_up=min(WARM_UP_FRAMES, len(y) - 1)))[0]
