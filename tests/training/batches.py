"""Batches as `Samples` makes them, of a pattern instead of faces."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.generator.tiny import clip_inputs


def batch(noise: float, frames: int) -> dict[str, Tensor]:
    """Two clips under noise of this deviation; 0 leaves them clean."""
    clip = clip_inputs(clips=2, frames=frames)
    return {
        "y": clip.y + noise * torch.randn_like(clip.y),
        "uv": clip.uv + noise * torch.randn_like(clip.uv),
        "clean_y": clip.y,
        "clean_uv": clip.uv,
        "regions": clip.regions,
        "clean_regions": clip.regions,
        "prompt": clip.prompt,
    }
