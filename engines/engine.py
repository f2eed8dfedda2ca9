"""What every engine offers: one step of one session, its state in that session's latent cache."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engines.manifest import Manifest


@dataclass(slots=True)
class StepInputs:
    """A face crop and what to do with it."""

    y: NDArray[np.uint8]
    """[1, 1, H, W]"""
    uv: NDArray[np.uint8]
    """[1, 2, H/2, W/2]"""
    regions: NDArray[np.float32]
    """[1, R, h, w]"""
    prompt: NDArray[np.float32]
    """[1, P]"""
    strength: float

    def feeds(self) -> dict[str, NDArray[np.generic]]:
        """The same under the names of the graph's inputs; strength as [1, 1] float32."""
        return {
            "y": self.y,
            "uv": self.uv,
            "regions": self.regions,
            "prompt": self.prompt,
            "strength": np.full((1, 1), self.strength, np.float32),
        }


def random_inputs(manifest: Manifest) -> StepInputs:
    """Noise for a graph to be timed with, the same for ever; half of each region everywhere, all prompts in full."""
    rng = np.random.default_rng(1)
    y, uv = (rng.integers(0, 256, manifest.shape(name), np.uint8) for name in ("y", "uv"))
    regions = np.full(manifest.shape("regions"), 0.5, np.float32)
    return StepInputs(y, uv, regions, np.ones(manifest.shape("prompt"), np.float32), 1.0)


@dataclass(slots=True)
class StepOutputs:
    """The restored crop. The arrays belong to the latent cache: they are overwritten two steps later."""

    y: NDArray[np.uint8]
    uv: NDArray[np.uint8]
    prompt_hat: NDArray[np.float32]
    """[1, P] what the picture needs"""


class LatentCache(Protocol):
    """The state of one session in one graph; made by the engine that reads it, owned by the session."""

    def forget(self) -> None:
        """Make the next step start from nothing (a cut, another face)."""

    def shift(self, right: int, down: int) -> bool:
        """Follow a crop that moved by so many pixels of the graph; False where the state's grids do not allow it."""

    def adopt(self, other: LatentCache) -> bool:
        """Go on from what the cache of another graph remembers; False, and nothing done, where its state is another."""


class Engine(Protocol):
    """Runs one graph; serves any number of sessions, from any thread."""

    manifest: Manifest

    @property
    def name(self) -> str:
        """What runs the graph, such as `onnxruntime-cpu`."""

    def new_cache(self) -> LatentCache:
        """Return a cache that remembers nothing."""

    def step(self, inputs: StepInputs, cache: LatentCache) -> StepOutputs:
        """Restore one crop and advance `cache`; EngineError, and a forgotten cache, when the step cannot be run."""
