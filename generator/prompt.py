"""Task prompt guidance: the prompt vector modulates the trunk, and is estimated from the picture.

Source: task prompt guidance of TDM (2025); modulation by scale and shift as in FiLM (Perez et al., 2018).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from generator.blocks import zero_init


class PromptEmbedding(nn.Module):
    """Prompt weights and flow time to one condition vector: [B,P] and [B,1] to [B,D]."""

    def __init__(self, prompts: int, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(prompts + 1, width)
        self.second = nn.Linear(width, width)

    def forward(self, prompt: Tensor, time: Tensor) -> Tensor:
        """Embed; `time` is the s of the path z_s = (1-s) z_hq + s z_lq, 1 at the degraded end."""
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
    """What the picture needs, judged from the pooled latent: [B,C,h,w] to weights [B,P] in 0..1."""

    def __init__(self, channels: int, prompts: int) -> None:
        super().__init__()
        self.features = nn.Conv2d(channels, channels, 1)
        self.first = nn.Linear(channels, channels)
        self.second = nn.Linear(channels, prompts)

    def forward(self, latent: Tensor) -> Tensor:
        """Estimate the prompt vector."""
        pooled = torch.relu(self.features(latent)).mean(dim=(2, 3))
        return torch.sigmoid(self.second(torch.relu(self.first(pooled))))
