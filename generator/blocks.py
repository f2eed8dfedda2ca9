"""Convolution blocks of the trunk: plain 3x3 convolutions and ReLU, which CPUs and TensorRT run fastest."""

from __future__ import annotations

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
    """x + conv(relu(conv(x))); [B,C,h,w] to the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvNorm(channels, channels, 3)
        self.second = ConvNorm(channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the same shape."""
        out: Tensor = torch.relu(x + self.second(torch.relu(self.first(x))))
        return out


class Stem(nn.Module):
    """Patches of the Y and UV planes to the 1/4 grid: [B,1,H,W] and [B,2,H/2,W/2] to [B,C,H/4,W/4]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.y = ConvNorm(1, channels, 4, stride=4)
        self.uv = ConvNorm(2, channels, 2, stride=2)
        self.fuse = ConvNorm(channels, channels, 3)

    def forward(self, y: Tensor, uv: Tensor) -> Tensor:
        """Return the features of planes that are centred on zero."""
        out: Tensor = torch.relu(self.fuse(torch.relu(self.y(y) + self.uv(uv))))
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
