"""Losses that need no downloaded network. All take planes in units of the full 8-bit range."""

from __future__ import annotations

import torch
from torch import Tensor

EPSILON = 2e-3
"""Half an 8-bit step: where the Charbonnier loss turns from square to absolute."""


def charbonnier(difference: Tensor) -> Tensor:
    """Mean of sqrt(d^2 + eps^2) - eps (Charbonnier et al., 1994)."""
    return (torch.sqrt(difference * difference + EPSILON**2) - EPSILON).mean()


def gradient(difference: Tensor) -> Tensor:
    """Mean absolute horizontal and vertical gradient of the error [..., H, W]: keeps edges."""
    across = (difference[..., :, 1:] - difference[..., :, :-1]).abs().mean()
    down = (difference[..., 1:, :] - difference[..., :-1, :]).abs().mean()
    return across + down


def frame_difference(difference: Tensor) -> Tensor:
    """Mean absolute change of the error [B, T, ...] from frame to frame: what is wrong must at least not flicker."""
    return (difference[:, 1:] - difference[:, :-1]).abs().mean()
