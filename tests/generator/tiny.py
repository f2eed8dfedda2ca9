"""A generator small enough for tests, and something to feed it."""

from __future__ import annotations

import torch
from torch import Tensor

from generator.config import GeneratorConfig
from generator.model import Generator

TINY = GeneratorConfig(channels=(8, 16, 16), flow_blocks=2, window=2, condition=16)
EDGE = 64

# Nets this small gain nothing by a second thread, and lose a lot where the cores are busy.
torch.set_num_threads(1)


def tiny_generator(seed: int = 1) -> Generator:
    """Untrained: the identity."""
    torch.manual_seed(seed)
    return Generator(TINY).eval()


@torch.no_grad()
def shaken(generator: Generator, seed: int = 2) -> Generator:
    """The same generator with every weight moved at random and the statistics to match, as if it had been trained."""
    torch.manual_seed(seed)
    for parameter in generator.parameters():
        parameter.add_(0.05 * torch.randn_like(parameter))
    for head in (generator.decoder.y, generator.decoder.uv):
        head.get_parameter("weight").mul_(0.1)
    norms = [m for m in generator.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    generator.train().clip(*clip_inputs())
    for norm in norms:
        norm.momentum = 0.1
    return generator.eval()


def clip_inputs(clips: int = 1, frames: int = 5, seed: int = 3) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """y, uv, regions, prompt and strength as `Generator.clip` takes them; neighbouring frames resemble each other."""
    torch.manual_seed(seed)
    lead = (clips, frames)
    y = torch.rand(clips, 1, 1, EDGE, EDGE) + 0.1 * torch.rand(*lead, 1, EDGE, EDGE)
    uv = torch.rand(clips, 1, 2, EDGE // 2, EDGE // 2) + 0.1 * torch.rand(*lead, 2, EDGE // 2, EDGE // 2)
    regions = torch.rand(*lead, len(TINY.regions), EDGE // 16, EDGE // 16)
    return y / 1.1, uv / 1.1, regions, 0.2 + torch.rand(*lead, len(TINY.prompts)), torch.ones(*lead, 1)
