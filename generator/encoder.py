"""Three grids; the coarsest is the latent."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.blocks import ConvNorm, chain
from generator.config import GeneratorConfig
from generator.stem import Stem

EDGE_POOL = 8
"""Cells of the finest grid per token"""


@dataclass(slots=True)
class Features:
    """A frame's features."""

    fine: Tensor
    """[B,F,H/4,W/4]"""
    middle: Tensor
    """[B,M,H/8,W/8]"""
    latent: Tensor
    """[B,C,H/16,W/16], z_lq"""
    edges: Tensor
    """[B,F,H/32,W/32] how much fine structure there is, per kind"""
    patches: Tensor
    """[B,F,H/4,W/4] of this frame as it came, normalised per kind"""


class Encoder(nn.Module):
    """Planes to features on the grids 1/4, 1/8 and 1/16."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        fine, middle, coarse = config.channels
        self.stem = Stem(fine, config.patch)
        self.to_middle = ConvNorm(fine, middle, 2, stride=2)
        self.middle = chain(middle, config.middle_blocks)
        self.to_coarse = ConvNorm(middle, coarse, 2, stride=2)
        self.coarse = chain(coarse, config.middle_blocks)

    def forward(self, y: Tensor, uv: Tensor) -> Features:
        """Encode planes in 0..1: y [B,1,H,W], uv [B,2,H/2,W/2]."""
        fine, patches = self.stem(y, uv)
        middle = self.middle(torch.relu(self.to_middle(fine)))
        latent = self.coarse(torch.relu(self.to_coarse(middle)))
        # The mean amount of the patches; an abs would leave the blocked layout of CPU kernels, a ReLU does not.
        edges = 2.0 * functional.avg_pool2d(torch.relu(patches), EDGE_POOL) - functional.avg_pool2d(patches, EDGE_POOL)
        return Features(fine, middle, latent, edges, patches)
