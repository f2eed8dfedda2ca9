"""Models for the check of a GPU: `lite` and `base` with weights at random, in float32 and half precision (torch).

What a step takes does not depend on the weights. Untrained ones would give back the picture, and every engine would
agree with every other.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from engines.manifest import Manifest
from export.half_family import export_half
from export.onnx_graph import export_family
from generator.config import CONFIGS
from generator.model import Generator

MODELS = {"lite": (256, 384, 512), "base": (512,)}
"""Configuration to crop sizes"""
SPREAD = 0.02


def random_generator(name: str, seed: int = 7) -> Generator:
    """A generator of that configuration; all of its parts do something, none very much."""
    torch.manual_seed(seed)
    generator = Generator(CONFIGS[name])
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(SPREAD * torch.randn_like(parameter))
    return generator.eval()


def export_models(folder: Path) -> list[Manifest]:
    """Write all graphs."""
    made: list[Manifest] = []
    for name, sizes in MODELS.items():
        whole = export_family(random_generator(name), name, sizes, folder, {})
        made += [*whole, *export_half(whole)]
    return made


if __name__ == "__main__":
    print(", ".join(manifest.name for manifest in export_models(Path(sys.argv[1]))))
