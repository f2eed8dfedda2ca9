"""What makes the generator a video model beside the attention: taps over time, and a steadied latent.

Source: the pseudo-3D layers of DL-Diff (2026): a 2-D convolution, then a 1-D one over time that starts as the identity.
What differs: the temporal one is causal and two frames long, so that one cached frame is all it needs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from generator.blocks import zero_init

OPEN_AT = -1.0
"""Bias of the recurrence's gate at the start: about a quarter of the way to the latent before."""


class TemporalTap(nn.Module):
    """x_t + W x_(t-1), with W zero at the start."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.before = zero_init(nn.Conv2d(channels, channels, 1, bias=False))

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        """Tap features [B,C,h,w]; `before` is zero where there was no frame."""
        out: Tensor = x + self.before(before)
        return out


class Recurrence(nn.Module):
    """z_t + W (g (z_(t-1) - z_t)), g in 0..1 per place: a learned gain in the place of a Kalman filter's."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Conv2d(channels, 1, 1)
        nn.init.constant_(self.gain.bias, OPEN_AT)  # type: ignore[arg-type]  # this convolution has one
        self.mix = zero_init(nn.Conv2d(channels, channels, 1, bias=False))

    def forward(self, z: Tensor, before: Tensor) -> Tensor:
        """Steady the latent z [B,C,h,w]; `before` equals z where there was no frame."""
        difference = before - z
        out: Tensor = z + self.mix(torch.sigmoid(self.gain(difference.abs())) * difference)
        return out
