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

    @property
    def weight(self) -> Tensor:
        """[outputs,inputs,kernel,kernel] with the running statistics in it: of the one convolution that runs."""
        conv, norm = self
        assert isinstance(norm, nn.BatchNorm2d) and norm.running_var is not None
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        return conv.get_parameter("weight") * scale[:, None, None, None]


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


def chain(channels: int, blocks: int) -> nn.Sequential:
    """So many residual blocks."""
    return nn.Sequential(*(ResidualBlock(channels) for _ in range(blocks)))
