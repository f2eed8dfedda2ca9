"""The velocity network, and how it is integrated.

Source: VividFace (2025): path z_s = (1-s) z_hq + s z_lq, velocity target z_lq - z_hq, one unit Euler step from the
degraded end: z_hq = z_lq - v(z_lq, s=1). What differs: the step is scaled by the user's strength.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from generator.attention import EMA_WEIGHT, CrossFrameAttention, KeyValue, gated_mean, remember
from generator.blocks import ConvNorm, zero_init
from generator.config import GeneratorConfig
from generator.fusion import AsymmetricFusion
from generator.prompt import Modulation
from generator.temporal import TemporalTap

Velocity = Callable[[Tensor, float], Tensor]
"""Takes z_s [B,C,h,w] and s in 0..1, returns the velocity at that place."""


@dataclass(slots=True)
class Priors:
    """What the blocks are told of the frame."""

    condition: Tensor | None
    """[B,D] embedded prompt and time"""
    spatial: Tensor | None
    """[B,W,T] codes of texture"""
    temporal: Tensor | None
    """[B,W,T] codes of change"""


@dataclass(slots=True)
class BlockMemory:
    """What one block remembers of the frames before, or of this one for the next."""

    window: list[KeyValue]
    """Keys and values, the newest first"""
    features: Tensor | None
    """[B,C,h,w] for the temporal tap"""
    ahead: list[KeyValue] = field(default_factory=list)
    """Keys and values of the frames to come; offline only"""
    present: list[KeyValue] = field(default_factory=list)
    """Those of this frame, once it has been seen"""


class FlowBlock(nn.Module):
    """Prompt, codes, cross-frame attention, temporal tap, feed-forward; on the latent grid."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        channels = config.channels[2]
        self.mode = config.attention
        self.modulation = Modulation(config.condition, channels) if config.prompting else None
        self.fusion = None
        if any(config.codebooks):
            self.fusion = AsymmetricFusion(channels, config.width, config.fusion, *config.codebooks)
        self.attention = None if config.attention == "off" else CrossFrameAttention(channels)
        self.tap = TemporalTap(channels) if config.taps else None
        self.widen = ConvNorm(channels, channels, 3)
        self.narrow = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, priors: Priors, memory: BlockMemory, keep: Tensor) -> tuple[Tensor, BlockMemory]:
        """From x [B,C,h,w] to the same shape, and what to remember; `keep` [B,1] is 0 after forgetting."""
        if self.modulation is not None and priors.condition is not None:
            x = self.modulation(x, priors.condition)
        if self.fusion is not None:
            x = self.fusion(x, priors.spatial, priors.temporal)
        fresh = BlockMemory([], None)
        if self.attention is not None:
            now = self.attention.keys_values(x)
            mean = gated_mean(now, memory.window + memory.ahead, EMA_WEIGHT if self.mode == "ema" else 1.0)
            fresh.window = remember(self.mode, now, mean, memory.window, keep[:, :, None])
            fresh.present = [now]
            x = self.attention(x, mean)
        if self.tap is not None and memory.features is not None:
            fresh.features = x
            x = self.tap(x, memory.features)
        out: Tensor = x + self.narrow(torch.relu(self.widen(x)))
        return out, fresh


class VelocityNet(nn.Module):
    """v(z, s | priors, memory): [B,C,h,w] to [B,C,h,w], zero until trained."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(FlowBlock(config) for _ in range(config.flow_blocks))
        self.out = zero_init(nn.Conv2d(config.channels[2], config.channels[2], 1))

    def forward(
        self, z: Tensor, priors: Priors, memory: list[BlockMemory], keep: Tensor
    ) -> tuple[Tensor, list[BlockMemory]]:
        """Velocity at z, and what each block remembers."""
        following = []
        for block, past in zip(self.blocks, memory, strict=True):
            z, fresh = block(z, priors, past, keep)
            following.append(fresh)
        return self.out(z), following


def integrate(velocity: Velocity, z: Tensor, steps: int, amount: Tensor | float = 1.0) -> Tensor:
    """From the degraded end (s = 1) to the restored one in Euler steps of 1/steps; `amount` scales the whole way."""
    for index in range(steps):
        z = z - amount * velocity(z, 1.0 - index / steps) / steps
    return z


def invert(velocity: Velocity, z: Tensor, steps: int) -> Tensor:
    """The flow backwards, from z taken for the restored end (s = 0) to the degraded one.

    The counterpart of DDIM inversion (Song et al., 2021), as TDM uses it for a start that depends on the frame alone.
    """
    for index in range(steps):
        z = z + velocity(z, (index + 1) / steps) / steps
    return z
