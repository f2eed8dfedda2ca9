"""What a stage of a training is fed with: samples drawn as it goes, or through a cache of samples drawn ahead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from training.cache import CachedSamples
from training.fill_cache import Filler
from training.samples import Samples, sample_loader
from training.stages import Stage

FIRST_BATCHES = 16
"""Batches that have to be in a cache before a stage begins; the workers fill it on meanwhile, and then renew it."""

Batches = Iterator[dict[str, Tensor]]


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """Where samples are kept, a folder a stage, and how much room each may take."""

    path: Path
    megabytes: float = 2000.0


@contextmanager
def feed(samples: Samples, stage: Stage, workers: int, cache: CacheSettings | None) -> Iterator[Batches]:
    """Batches of a stage for ever; worker processes end with it.

    Raises:
        BadInput: The cache holds other samples, or has no room.
    """
    if cache is None:
        yield sample_loader(samples, stage.batch, workers)
        return
    path = cache.path / stage.name
    path.mkdir(parents=True, exist_ok=True)
    with Filler(path, samples, cache.megabytes, max(1, workers), refresh=True) as filler:
        filler.wait(FIRST_BATCHES * stage.batch)
        yield sample_loader(CachedSamples(path, samples.seed), stage.batch, 0)
