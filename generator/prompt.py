"""Task prompt guidance: the prompt vector modulates the trunk, and is estimated from the picture.

Source: task prompt guidance of TDM (2025); modulation by scale and shift as in FiLM (Perez et al., 2018).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from generator.blocks import zero_init

SMALLEST = 1e-2
"""Detail below this, in standard deviations of its kind, is as good as none."""


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
    """What the picture needs: weights [B,P] in 0..1, judged from the detail strengths and the pooled latent.

    Noise, blur and blocks show in how strong each kind of fine detail is, which the latent need not keep: its mean over
    the picture, and its mean logarithm, which says how strong it is where the picture is flat.
    """

    def __init__(self, edges: int, coarse: int, prompts: int) -> None:
        super().__init__()
        self.content = nn.Conv2d(coarse, edges, 1)
        self.first = nn.Linear(3 * edges, coarse)
        self.second = nn.Linear(coarse, prompts)

    def forward(self, edges: Tensor, tokens: Tensor) -> Tensor:
        """Estimate the prompt vector from detail strengths [B,E,h,w] and the pooled latent [B,C,h,w]."""
        overall = torch.log(edges.mean(dim=(2, 3)) + SMALLEST)
        flat = torch.log(edges + SMALLEST).mean(dim=(2, 3))
        content = torch.relu(self.content(tokens)).mean(dim=(2, 3))
        hidden = torch.relu(self.first(torch.cat([overall, flat, content], dim=1)))
        return torch.sigmoid(self.second(hidden))
