"""A generator with weights at random: what a step takes does not depend on them (torch)."""

from __future__ import annotations

import torch

from generator.config import CONFIGS
from generator.model import Generator

SPREAD = 0.02


def random_generator(name: str, seed: int = 7) -> Generator:
    """A generator of that configuration; all of its parts do something, none very much."""
    torch.manual_seed(seed)
    generator = Generator(CONFIGS[name])
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(SPREAD * torch.randn_like(parameter))
    return generator.eval()
