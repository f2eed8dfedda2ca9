"""Does the exported graph do what the generator does? Compared over frames with carried state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from engines.engine import StepInputs
from engines.manifest import Manifest
from engines.onnx_runtime import OrtEngine
from export.wrapper import GraphModule
from generator.model import ONE_STEP, Generator, Integration

FRAMES = 12
OFFLINE_FRAMES = 4
"""Of graphs with more steps, which take long in torch"""
LARGEST = 1
"""Steps of 8 bits by which a sample may differ."""


@dataclass(frozen=True, slots=True)
class Parity:
    """Differences of 8-bit samples of Y, U and V."""

    largest: int
    unequal: float
    """Share of samples that differ at all"""


def synthetic_frame(size: int, index: int, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A noisy moving pattern: y [1,1,size,size] and uv [1,2,size/2,size/2], uint8."""
    rows, columns = np.mgrid[0:size, 0:size]
    wave = 128 + 70 * np.sin((columns + 3 * index) / 17.0) * np.cos(rows / 23.0)
    y = wave + rng.normal(0, 12, (size, size))
    uv = 128 + rng.normal(0, 8, (2, size // 2, size // 2))
    return _bytes(y[None, None]), _bytes(uv[None])


def _bytes(plane: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(plane, 0, 255).astype(np.uint8))


@torch.no_grad()
def compare(
    generator: Generator, manifest: Manifest, frames: int | None = None, integration: Integration = ONE_STEP
) -> Parity:
    """Run torch and ONNX Runtime side by side, each with its own state; half way the state is forgotten."""
    if frames is None:
        frames = FRAMES if integration == ONE_STEP else OFFLINE_FRAMES
    engine = OrtEngine(manifest)
    cache = engine.new_cache()
    module = GraphModule(generator.eval(), manifest.crop, integration)
    example = module.example_inputs()
    names = module.state_names()
    states = [example[name] for name in names]
    rng = np.random.default_rng(5)
    largest, unequal, total = 0, 0, 0
    for index in range(frames):
        y, uv = synthetic_frame(manifest.crop, index, rng)
        regions = rng.random(manifest.shape("regions"), np.float32)
        prompt = rng.random(manifest.shape("prompt"), np.float32)
        keep = torch.full((1, 1), 0.0 if index in {0, frames // 2} else 1.0)
        if index == frames // 2:
            cache.forget()
        out = engine.step(StepInputs(y, uv, regions, prompt, 1.0), cache)
        tensors = [torch.from_numpy(a) for a in (y, uv, regions, prompt)]
        result = module(*tensors, torch.ones(1, 1), keep, *states)
        states = list(result[3:])
        for ours, theirs in ((out.y, result[0]), (out.uv, result[1])):
            difference = np.abs(ours.astype(np.int16) - theirs.numpy().astype(np.int16))
            largest = max(largest, int(difference.max()))
            unequal += int((difference > 0).sum())
            total += difference.size
    return Parity(largest, unequal / total)
