"""Task prompt guidance: the prompt vector modulates the trunk, and is estimated from the picture.

Source: task prompt guidance of TDM (2025); modulation by scale and shift as in FiLM (Perez et al., 2018).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from generator.blocks import zero_init

SMALLEST = 1e-2
"""Pooled features below this are as good as none."""


class PromptEmbedding(nn.Module):
    """Prompt weights and flow time to one condition vector: [B,P] and [B,1] to [B,D]."""

    def __init__(self, prompts: int, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(prompts + 1, width)
        self.second = nn.Linear(width, width)

    def forward(self, prompt: Tensor, time: Tensor) -> Tensor:
        """Embed; `time` is the s of the path z_s = (1-s) z_hq + s z_lq; a single step starts at the degraded end, 1."""
        hidden = torch.relu(self.first(torch.cat([prompt, time], dim=1)))
        out: Tensor = torch.relu(self.second(hidden))
        return out


class Modulation(nn.Module):
    """x * (1 + scale(c)) + shift(c) per channel, identity at the start."""

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        self.scale = zero_init(nn.Linear(width, channels))
        self.shift = zero_init(nn.Linear(width, channels))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Modulate x [B,C,h,w] by condition [B,D]."""
        scale: Tensor = self.scale(condition)[:, :, None, None]
        shift: Tensor = self.shift(condition)[:, :, None, None]
        return x * (1.0 + scale) + shift


class PromptEstimate(nn.Module):
    """What the picture needs: weights [B,P] in 0..1, judged from pooled features.

    The finest grid takes part, because noise, blur and blocks show in how much fine detail there is, which the latent
    need not keep; on a logarithmic scale, because a little noise differs from none as much as a lot from some.
    """

    def __init__(self, fine: int, coarse: int, prompts: int) -> None:
        super().__init__()
        self.detail = nn.Conv2d(fine, fine, 1)
        self.content = nn.Conv2d(coarse, coarse, 1)
        self.first = nn.Linear(fine + coarse, coarse)
        self.second = nn.Linear(coarse, prompts)

    def forward(self, fine: Tensor, latent: Tensor) -> Tensor:
        """Estimate the prompt vector from features [B,F,h,w] on the finest grid and the latent [B,C,h/4,w/4]."""
        grids = (torch.relu(self.detail(fine)), torch.relu(self.content(latent)))
        pooled = torch.log(torch.cat([grid.mean(dim=(2, 3)) for grid in grids], dim=1) + SMALLEST)
        return torch.sigmoid(self.second(torch.relu(self.first(pooled))))
