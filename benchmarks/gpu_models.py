"""A model for the check of a GPU: `base` with weights at random, in float32 and half precision (torch).

Untrained it would give back the picture, and every engine would agree with every other. `lite` comes with the package.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.all_engines import pattern
from benchmarks.random_generator import random_generator
from engines.choice import check
from engines.manifest import Manifest
from export.half_check import compare_half, rounded_engine
from export.half_family import export_half
from export.onnx_graph import export_family

MODELS: Mapping[str, Sequence[int]] = {"base": (512,)}
"""Configuration to crop sizes"""
FRAMES = 3


def export_models(folder: Path, models: Mapping[str, Sequence[int]] = MODELS) -> list[Manifest]:
    """Write all graphs; EngineError where one in half precision would not compute numbers."""
    made: list[Manifest] = []
    for name, sizes in models.items():
        whole = export_family(random_generator(name), name, sizes, folder, {})
        halves = export_half(whole)
        for one, other in zip(whole, halves, strict=True):
            fit_for_use(one, other)
        made += [*whole, *halves]
    return made


def fit_for_use(whole: Manifest, half: Manifest) -> None:
    """Make sure of what an engine is asked for at its start, as half precision rounds and overflows; EngineError."""
    check(rounded_engine(half))
    clip = [(given.y, given.uv) for given in (pattern(whole, index) for index in range(FRAMES))]
    difference = compare_half(whole, half, [clip])
    print(f"{half.name}: off by {difference.largest} at most, by more than 1 {100 * difference.beyond:.3f} %")


if __name__ == "__main__":
    print(", ".join(manifest.name for manifest in export_models(Path(sys.argv[1]))))
