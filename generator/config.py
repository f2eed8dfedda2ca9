"""Sizes, vocabulary and switches of a generator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Attention = Literal["off", "first", "window", "ema", "both_sides"]
Fusion = Literal["off", "asymmetric", "symmetric", "swapped"]
ATTENTIONS: tuple[Attention, ...] = ("off", "first", "window", "ema", "both_sides")
FUSIONS: tuple[Fusion, ...] = ("off", "asymmetric", "symmetric", "swapped")


@dataclass(frozen=True, slots=True)
class GeneratorConfig:
    """What a checkpoint must agree on; stored inside every checkpoint and in the model manifest."""

    patch: int = 4
    """Edge of a stem patch in luma pixels, and of a cell of the finest of the three grids, each twice as coarse."""
    channels: tuple[int, int, int] = (32, 48, 96)
    """Channels on the grids 1/4, 1/8 and 1/16 (of a patch of 4); multiples of 8 keep the CPU kernels in their blocked
    layout."""
    middle_blocks: int = 1
    """Residual blocks on the grids 1/8 and 1/16, on the way down and up."""
    flow_blocks: int = 2
    """Velocity blocks on the latent grid."""
    window: int = 3
    """Past frames whose keys and values the cross-frame attention averages over."""
    condition: int = 64
    """Width of the prompt embedding."""
    codes: int = 256
    """Entries of each codebook."""
    width: int = 32
    """Channels of codes and of region queries."""
    prompts: tuple[str, ...] = ("noise", "compression", "low light", "blur", "low resolution", "haze", "rain")
    """One weight each in the prompt vector; all zeros means that nothing is wrong with the picture."""
    regions: tuple[str, ...] = ("skin", "left_eye", "right_eye", "brows", "nose", "lips", "mouth", "rest")
    """One soft map each, on the latent grid."""

    prompting: bool = True
    """Prompt and flow time modulate the blocks (TDM); off, the prompt only decides whether anything is changed."""
    attention: Attention = "window"
    """Whom the cross-frame attention asks: nobody, the first frame, the last ones, their running mean (TDM)."""
    spatial_codes: bool = True
    """Codebook of textures (DVFace)"""
    temporal_codes: bool = True
    """Codebook of changes from frame to frame (DVFace)"""
    fusion: Fusion = "asymmetric"
    """How the codes enter the blocks (DVFace); off, there are no codebooks either."""
    context: bool = True
    """Region and edge maps ask the picture (CUGD)"""
    taps: bool = True
    """Causal temporal convolutions beside the spatial ones (DL-Diff)"""
    recurrence: bool = True
    """The restored latent is steadied by the one before"""
    previous: bool = True
    """The planes restored last are an input of the finest grid"""
    sharpening: bool = True
    """A few filters at full resolution, blended per cell"""
    illumination: bool = True
    """A coarse gain, apart from the detail (DL-Diff, CUGD: low light)"""

    def __post_init__(self) -> None:
        """Refuse sizes that the modules cannot be built with (ValueError)."""
        if self.patch not in (2, 4, 8):
            raise ValueError(f"patch must be 2, 4 or 8, not {self.patch}")
        if len(self.channels) != 3 or any(c <= 0 or c % 8 for c in self.channels):
            raise ValueError(f"channels must be three positive multiples of 8, not {self.channels}")
        if self.flow_blocks < 1 or self.middle_blocks < 1 or self.window < 1:
            raise ValueError("flow_blocks, middle_blocks and window must be at least 1")
        if self.attention not in ATTENTIONS or self.fusion not in FUSIONS:
            raise ValueError(f"attention must be one of {ATTENTIONS}, fusion one of {FUSIONS}")

    @property
    def latent_stride(self) -> int:
        """Luma pixels per latent cell along one axis."""
        return 4 * self.patch

    @property
    def token_stride(self) -> int:
        """Luma pixels per token: keys, values, codes and region queries live on the latent grid pooled 2x2."""
        return 8 * self.patch

    @property
    def codebooks(self) -> tuple[bool, bool]:
        """Whether there is a spatial and a temporal codebook: without a way into the blocks there is none."""
        fused = self.fusion != "off"
        return self.spatial_codes and fused, self.temporal_codes and fused


LITE = GeneratorConfig()
"""Live on two cores of a CPU: at most 0.85 GMAC a frame of 384 x 384"""
BASE = GeneratorConfig(
    channels=(128, 192, 384), middle_blocks=2, flow_blocks=6, condition=128, codes=1024, width=64
)
"""For GPUs: at most 45 GMAC a frame of 512 x 512"""
CONFIGS = {"lite": LITE, "base": BASE}
