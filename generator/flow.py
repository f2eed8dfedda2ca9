"""The velocity network: one Euler step from the degraded latent to the restored one.

Source: VividFace (2025): path z_s = (1-s) z_hq + s z_lq, velocity target z_lq - z_hq, and z_hq = z_lq - v(z_lq, s=1).
What differs: the step is scaled by the user's strength.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from generator.attention import CrossFrameAttention
from generator.blocks import ConvNorm, zero_init
from generator.config import GeneratorConfig
from generator.prompt import Modulation

KeyValue = tuple[Tensor, Tensor]
"""Keys and values of one frame, [B,C,T] each."""
Window = Callable[[int, KeyValue], list[KeyValue]]
"""Takes a block's index and the present keys and values, returns the past ones, the newest first."""


class FlowBlock(nn.Module):
    """Prompt modulation, cross-frame attention, feed-forward; on the latent grid."""

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__()
        self.modulation = Modulation(condition, channels)
        self.attention = CrossFrameAttention(channels)
        self.widen = ConvNorm(channels, channels, 3)
        self.narrow = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, condition: Tensor, window: Window, index: int) -> Tensor:
        """From x [B,C,h,w] to the same shape; `window` yields the past keys and values of block `index`."""
        x = self.modulation(x, condition)
        now = self.attention.keys_values(x)
        x = self.attention(x, now, window(index, now))
        out: Tensor = x + self.narrow(torch.relu(self.widen(x)))
        return out


class VelocityNet(nn.Module):
    """v(z, s, regions, prompt): [B,C,h,w] to [B,C,h,w], zero until trained."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        channels = config.channels[2]
        self.regions = zero_init(nn.Conv2d(len(config.regions), channels, 1))
        self.blocks = nn.ModuleList(FlowBlock(channels, config.condition) for _ in range(config.flow_blocks))
        self.out = zero_init(nn.Conv2d(channels, channels, 1))

    def forward(self, z: Tensor, regions: Tensor, condition: Tensor, window: Window) -> Tensor:
        """Velocity of the latent z under region maps [B,R,h,w] and the embedded prompt and time [B,D]."""
        x = z + self.regions(regions)
        for index, block in enumerate(self.blocks):
            x = block(x, condition, window, index)
        out: Tensor = self.out(x)
        return out
