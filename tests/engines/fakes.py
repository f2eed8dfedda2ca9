"""Engines that do nothing, or fail in a way that is asked for."""

from __future__ import annotations

import numpy as np

from engines.engine import LatentCache, StepInputs, StepOutputs
from engines.errors import EngineError
from engines.manifest import Manifest


class FakeCache:
    def __init__(self, owner: FakeEngine) -> None:
        self.owner = owner
        self.steps = self.forgotten = 0

    def forget(self) -> None:
        self.forgotten += 1

    def shift(self, right: int, down: int) -> bool:
        return True

    def adopt(self, other: LatentCache) -> bool:
        return False


class FakeEngine:
    """Gives back the picture; its estimate tells how many steps the cache has seen."""

    def __init__(self, manifest: Manifest, name: str = "fake") -> None:
        self.manifest, self.name = manifest, name
        self.failing: Exception | None = None
        self.full: Exception | None = None
        self.spoils = False
        self.estimate: float | None = None
        self.steps = 0

    def new_cache(self) -> FakeCache:
        if self.full is not None:
            raise self.full
        return FakeCache(self)

    def step(self, inputs: StepInputs, cache: LatentCache) -> StepOutputs:
        if not isinstance(cache, FakeCache) or cache.owner is not self:
            raise EngineError("this latent cache was made by another engine")
        if self.failing is not None:
            raise self.failing
        self.steps += 1
        cache.steps += 1
        y = np.bitwise_xor(inputs.y, np.uint8(1)) if self.spoils else inputs.y
        estimate = np.full_like(inputs.prompt, cache.steps if self.estimate is None else self.estimate)
        return StepOutputs(y, inputs.uv, estimate)
