"""Patches of the planes to features on the finest grid."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from generator.blocks import ConvNorm

CENTRE = 0.5
"""What the planes are centred on."""


def cosine_basis(edge: int) -> Tensor:
    """The orthonormal two-dimensional cosine transform (DCT-II) of a patch: [edge^2, edge, edge]."""
    place = torch.arange(edge)
    basis = torch.cos(math.pi * (place[None] + 0.5) * place[:, None] / edge) * math.sqrt(2 / edge)
    basis[0] /= math.sqrt(2)
    return (basis[:, None, :, None] * basis[None, :, None, :]).reshape(edge * edge, edge, edge)


class Patches(nn.Module):
    """[B,1,H,W] and [B,2,H/2,W/2] to [B,C,H/4,W/4]; linear.

    It starts as a cosine transform: normalised per channel, fine detail and noise then stand as large as brightness.
    """

    def __init__(self, channels: int, patch: int) -> None:
        super().__init__()
        self.patch = patch
        self.y = ConvNorm(1, channels, patch, stride=patch)
        self.uv = ConvNorm(2, channels, patch // 2, stride=patch // 2)
        self.centre = CENTRE
        self._start_as_transform()

    @torch.no_grad()
    def _start_as_transform(self) -> None:
        luma, chroma = self.y.get_parameter("0.weight"), self.uv.get_parameter("0.weight")
        patches = cosine_basis(self.patch)[: luma.shape[0]]
        luma[: len(patches), 0] = patches
        chroma.zero_()
        patches = cosine_basis(self.patch // 2)
        after = self.patch**2
        for row in range(min(2 * len(patches), max(0, chroma.shape[0] - after))):
            chroma[after + row, row // len(patches)] = patches[row % len(patches)]

    def forward(self, y: Tensor, uv: Tensor) -> Tensor:
        """Transform both planes and add them up."""
        out: Tensor = self.y(y - self.centre) + self.uv(uv - self.centre)
        return out


class Stem(nn.Module):
    """Planes in 0..1 to features [B,C,H/4,W/4] and the plain patches, which still hold all of the picture."""

    def __init__(self, channels: int, patch: int) -> None:
        super().__init__()
        self.patches = Patches(channels, patch)
        self.fuse = ConvNorm(channels, channels, 3)

    def forward(self, y: Tensor, uv: Tensor) -> tuple[Tensor, Tensor]:
        """Features and patches of y [B,1,H,W] and uv [B,2,H/2,W/2]."""
        patches = self.patches(y, uv)
        return patches + torch.relu(self.fuse(patches)), patches
