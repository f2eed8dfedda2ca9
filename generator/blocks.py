"""Convolution blocks of the trunk: plain 3x3 convolutions and ReLU, which CPUs and TensorRT run fastest."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


def zero_init(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    """Make a layer start as zero, so that adding its output changes nothing until it is trained."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class ConvNorm(nn.Sequential):
    """Convolution and batch normalisation; the exporter folds the two into one convolution."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, bias=False), nn.BatchNorm2d(outputs)
        )


class ResidualBlock(nn.Module):
    """x + conv(relu(conv(x))); [B,C,h,w] to the same shape.

    No activation after the sum: what the stem sees has a linear way through to the residual planes. With one there,
    noise could not be subtracted at all for the first thousands of steps.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvNorm(channels, channels, 3)
        self.second = ConvNorm(channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the same shape."""
        out: Tensor = x + self.second(torch.relu(self.first(x)))
        return out


def cosine_basis(edge: int) -> Tensor:
    """The orthonormal two-dimensional cosine transform (DCT-II) of a patch: [edge^2, edge, edge]."""
    place = torch.arange(edge)
    basis = torch.cos(math.pi * (place[None] + 0.5) * place[:, None] / edge) * math.sqrt(2 / edge)
    basis[0] /= math.sqrt(2)
    return (basis[:, None, :, None] * basis[None, :, None, :]).reshape(edge * edge, edge, edge)


class Stem(nn.Module):
    """Patches of the Y and UV planes to the 1/4 grid: [B,1,H,W] and [B,2,H/2,W/2] to [B,C,H/4,W/4].

    It starts as a cosine transform: normalised per channel, fine detail and noise then stand as large as brightness.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.y = ConvNorm(1, channels, 4, stride=4)
        self.uv = ConvNorm(2, channels, 2, stride=2)
        self.fuse = ConvNorm(channels, channels, 3)
        self._start_as_transform()

    @torch.no_grad()
    def _start_as_transform(self) -> None:
        luma, chroma = self.y.get_parameter("0.weight"), self.uv.get_parameter("0.weight")
        patches = cosine_basis(luma.shape[-1])[: luma.shape[0]]
        luma[: len(patches), 0] = patches
        chroma.zero_()
        patches = cosine_basis(chroma.shape[-1])
        for row in range(min(2 * len(patches), chroma.shape[0] - luma.shape[-1] ** 2)):
            chroma[luma.shape[-1] ** 2 + row, row // len(patches)] = patches[row % len(patches)]

    def forward(self, y: Tensor, uv: Tensor) -> Tensor:
        """Return the features of planes that are centred on zero."""
        patches = self.y(y) + self.uv(uv)
        out: Tensor = patches + torch.relu(self.fuse(patches))
        return out


class Encoder(nn.Module):
    """Three grids; the coarsest is the latent z_lq."""

    def __init__(self, channels: tuple[int, int, int]) -> None:
        super().__init__()
        fine, middle, coarse = channels
        self.stem = Stem(fine)
        self.to_middle = ConvNorm(fine, middle, 2, stride=2)
        self.middle = ResidualBlock(middle)
        self.to_coarse = ConvNorm(middle, coarse, 2, stride=2)
        self.coarse = ResidualBlock(coarse)

    def forward(self, y: Tensor, uv: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return features on the grids 1/4, 1/8 and 1/16."""
        fine = self.stem(y, uv)
        middle = self.middle(torch.relu(self.to_middle(fine)))
        coarse = self.coarse(torch.relu(self.to_coarse(middle)))
        return fine, middle, coarse
