"""How much of its codebooks a generator uses."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from generator.codebook import Lookup
from generator.model import Frame, Generator
from training.degrade import TASKS, Degradation, degrade
from training.faces import Picture

LEVEL = 0.5


@torch.no_grad()
def code_use(generator: Generator, clips: list[list[Picture]]) -> dict[str, float]:
    """Perplexity of each codebook as a share of its entries, over clips that show all kinds of damage in turn.

    Tokens that looked nothing up do not count. A codebook that is off is missing.
    """
    config = generator.config
    scores: dict[str, list[Tensor]] = {"spatial": [], "temporal": []}
    for index, frames in enumerate(clips):
        what = Degradation({TASKS[index % len(TASKS)]: LEVEL})
        planes = degrade(frames, what, np.random.default_rng(index))
        y, uv = (torch.from_numpy(p.astype(np.float32) / 255) for p in planes)
        count, cells = len(frames), y.shape[2] // config.latent_stride
        prompt = torch.from_numpy(what.prompt()).expand(1, count, -1)
        regions = torch.zeros(1, count, len(config.regions), cells, cells)
        out = generator.clip(Frame(y[None], uv[None], regions, prompt, torch.ones(1, count, 1)))
        for name, lookup in (("spatial", out.spatial), ("temporal", out.temporal)):
            if lookup is not None:
                scores[name].append(lookup.scores.flatten(0, 1))
    used = {}
    for name, found in scores.items():
        if found:
            together = torch.cat(found)[None]
            used[name] = float(Lookup(together, together, together.new_zeros(())).perplexity()) / config.codes
    return used
