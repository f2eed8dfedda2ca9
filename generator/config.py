"""Sizes and vocabulary of a generator."""

from __future__ import annotations

from dataclasses import dataclass

PATCH = 4
"""Edge of a stem patch in luma pixels: a patch of 8 could not carry the noise that it would have to subtract."""

LATENT_STRIDE = 16
"""Luma pixels per latent cell along one axis."""


@dataclass(frozen=True, slots=True)
class GeneratorConfig:
    """What a checkpoint must agree on; stored inside every checkpoint and in the model manifest."""

    channels: tuple[int, int, int] = (32, 48, 96)
    """Channels on the grids 1/4, 1/8 and 1/16; multiples of 8 keep the CPU kernels in their blocked layout."""
    flow_blocks: int = 2
    """Velocity blocks on the latent grid."""
    window: int = 3
    """Past frames whose keys and values the cross-frame attention averages over."""
    condition: int = 64
    """Width of the prompt embedding."""
    prompts: tuple[str, ...] = ("noise", "compression", "low light", "blur", "low resolution")
    """One weight each in the prompt vector; all zeros means that nothing is wrong with the picture."""
    regions: tuple[str, ...] = ("skin", "left_eye", "right_eye", "brows", "nose", "lips", "mouth", "rest")
    """One soft map each, on the latent grid."""

    def __post_init__(self) -> None:
        """Refuse sizes that the modules cannot be built with (ValueError)."""
        if len(self.channels) != 3 or any(c <= 0 or c % 8 for c in self.channels):
            raise ValueError(f"channels must be three positive multiples of 8, not {self.channels}")
        if self.flow_blocks < 1 or self.window < 0:
            raise ValueError("flow_blocks must be at least 1 and window at least 0")
