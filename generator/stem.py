"""Patches of the planes to features on the finest grid, with the previous restored planes as a second look."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.blocks import ConvNorm, zero_init

CENTRE = 0.5
"""What the planes are centred on."""
CLOSES_AT = 1.6
"""Start value of how fast the gate for the previous planes closes: it is shut where patches, normalised, disagree by
0.8 (root mean square over the kinds of detail)."""


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

    def with_difference(self, y: Tensor, uv: Tensor, before: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Patches of these planes, and what has to be added to get those of the planes before."""
        before_y, before_uv = before
        # Linear: to transform the difference saves two passes over features.
        luma = functional.conv2d(before_y - y, self.y.weight, stride=self.patch)
        chroma = functional.conv2d(before_uv - uv, self.uv.weight, stride=self.patch // 2)
        return self(y, uv), luma + chroma


class PreviousPlanes(nn.Module):
    """p + W(g (q - p)) for the patches p of this frame and q of the last restored one, with W zero at the start.

    The gate g in 0..1 closes where the two disagree on average over 4x4 patches: noise averages out, motion does not.
    It is the cheapest denoiser there is: a steady picture is averaged over all its frames. Disagreement is squared:
    small noise then hardly counts, and CPU kernels need not leave their blocked layout, as they would for an amount.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.disagreement = nn.Conv2d(channels, 1, 1, bias=False)
        nn.init.constant_(self.disagreement.weight, CLOSES_AT / channels)
        self.mix = zero_init(nn.Conv2d(channels, channels, 1, bias=False))

    def forward(self, now: Tensor, difference: Tensor) -> tuple[Tensor, Tensor]:
        """Mix patches [B,C,h,w] of this frame and their difference q - p; returns g (q - p), too."""
        smooth = functional.avg_pool2d(difference, 4, stride=2, padding=1)
        gate = torch.clamp(1.0 - self.disagreement(smooth * smooth), 0.0, 1.0)
        gate = functional.interpolate(gate, scale_factor=2.0, mode="nearest")
        recalled = gate * difference
        return now + self.mix(recalled), recalled


class Stem(nn.Module):
    """Planes in 0..1 to features [B,C,H/4,W/4] and the plain patches, which still hold all of the picture."""

    def __init__(self, channels: int, patch: int, previous: bool) -> None:
        super().__init__()
        self.patches = Patches(channels, patch)
        self.previous = PreviousPlanes(channels) if previous else None
        self.fuse = ConvNorm(channels, channels, 3)

    def forward(
        self, y: Tensor, uv: Tensor, before: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Features, patches, and what leads from these to `before` where the two agree.

        `before` are the planes restored last, registered with these.
        """
        recalled = None
        if self.previous is None or before is None:
            x = patches = self.patches(y, uv)
        else:
            patches, difference = self.patches.with_difference(y, uv, before)
            x, recalled = self.previous(patches, difference)
        return x + torch.relu(self.fuse(x)), patches, recalled
