"""From the restored latent to residual planes, with gated skips from the encoder."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.blocks import ResidualBlock, chain, zero_init
from generator.config import GeneratorConfig
from generator.encoder import Features
from generator.prompt import Modulation
from generator.sharpening import Sharpening

RESIDUAL_UNIT = 0.05
"""Planes per unit that the heads put out. Steps of Adam are all alike in size: with weights as small as residuals need,
each step shook them, and faint tasks (blur, lost resolution) were not learned at all."""


class GatedSkip(nn.Module):
    """x + g skip, with g per channel; in training, whole skips drop out as often as `dropout` says.

    Without dropout the latent has nothing to do: the skips alone could carry the picture.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.dropout = 0.0

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Add the skip [B,C,h,w]."""
        gate: Tensor = self.gate
        if self.training and self.dropout > 0:
            kept = torch.rand(skip.shape[0], 1, 1, 1, device=skip.device) >= self.dropout
            gate = gate * kept.to(skip.dtype)
        return x + gate * skip


class UpStage(nn.Module):
    """One grid finer: 1x1 convolution, nearest upsampling, gated skip, prompt modulation, residual blocks."""

    def __init__(self, coarse: int, fine: int, block: nn.Module, condition: int | None) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(coarse, fine, 1)
        self.skip = GatedSkip(fine)
        self.modulation = None if condition is None else Modulation(condition, fine)
        self.block = block

    def forward(self, x: Tensor, skip: Tensor, condition: Tensor | None) -> Tensor:
        """From x [B,coarse,h,w] and skip [B,fine,2h,2w] to [B,fine,2h,2w]."""
        x = self.skip(functional.interpolate(self.narrow(x), scale_factor=2.0, mode="nearest"), skip)
        if self.modulation is not None and condition is not None:
            x = self.modulation(x, condition)
        out: Tensor = self.block(x)
        return out


class Decoder(nn.Module):
    """Latent to residuals of the Y plane [B,1,H,W] and the UV planes [B,2,H/2,W/2]; zero until trained."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        fine, middle, coarse = config.channels
        condition = config.condition if config.prompting else None
        self.to_middle = UpStage(coarse, middle, chain(middle, config.middle_blocks), condition)
        self.to_fine = UpStage(middle, fine, ResidualBlock(fine), condition)
        self.patch = config.patch
        self.y = nn.Conv2d(fine, self.patch**2, 3, padding=1)
        # One patch of features says enough about chroma; a CPU's kernels take eight channels no faster than sixteen.
        self.uv = nn.Conv2d(fine, 2 * (self.patch // 2) ** 2, 1)
        self.sharpening = Sharpening(fine, middle, self.patch, config.condition) if config.sharpening else None
        self.restart_heads()
        self.unit = RESIDUAL_UNIT
        self.shuffle: Callable[[Tensor, int], Tensor] = functional.pixel_shuffle

    def shut_skips(self, share: float) -> None:
        """In training, shut so many of the skips at random; 1 shuts all."""
        self.to_middle.skip.dropout = self.to_fine.skip.dropout = share

    def restart_heads(self) -> None:
        """Let the heads put out nothing again, as before all training."""
        for head in (self.y, self.uv):
            zero_init(head)

    def forward(
        self, latent: Tensor, features: Features, condition: Tensor | None, luma: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Residuals, in units of the full 8-bit range.

        Args:
            latent: [B,C,H/16,W/16]
            features: Of the input.
            condition: [B,D] the embedded prompt, if there is one.
            luma: [B,1,H,W] of the input, to be sharpened; without it, all comes from features.
        """
        middle = self.to_middle(latent, features.middle, condition)
        x = self.to_fine(middle, features.fine, condition)
        y, uv = self.y(x), self.uv(x)
        if self.unit != 1:
            y, uv = self.unit * y, self.unit * uv
        if self.sharpening is not None and luma is not None:
            y = y + self.sharpening(luma, middle, features.edges, condition)
        return self.shuffle(y, self.patch), self.shuffle(uv, self.patch // 2)
