"""Convolution blocks of the trunk: plain 3x3 convolutions and ReLU, which CPUs and TensorRT run fastest."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

SETTLED = 4000
"""Calls of a normalisation in training after which its running statistics are trusted wholly."""
SLOWEST = 0.003
"""Share of a batch's statistics in the running ones."""


def zero_init(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    """Make a layer start as zero, so that adding its output changes nothing until it is trained."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class BatchRenorm(nn.BatchNorm2d):
    """Batch normalisation that, in training too, normalises by the running statistics.

    Source: Ioffe, Batch Renormalization (2017). The statistics of a few clips are rough, and a call is restored under
    the running ones; yet gradients go through the batch's own, which keeps training from running away.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise [B,C,h,w] per channel."""
        if not self.training:
            out: Tensor = super().forward(x)
            return out
        assert self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None
        with torch.no_grad():
            # Two means, twenty times as fast on a CPU as var_mean, which was a tenth of a training step.
            mean = x.mean(dim=(0, 2, 3))
            variance = (x.square().mean(dim=(0, 2, 3)) - mean.square()).clamp_min(0.0)
            calls = int(self.num_batches_tracked)
            # Open towards the running statistics only as these settle.
            trust = min(1.0, calls / SETTLED)
            limit = 1.0 + 2.0 * trust
            deviation = torch.sqrt(self.running_var + self.eps)
            ratio = (torch.sqrt(variance + self.eps) / deviation).clamp(1 / limit, limit)
            offset = ((mean - self.running_mean) / deviation).clamp(-5 * trust, 5 * trust)
            pace = max(SLOWEST, 1 / (calls + 1))
            self.running_mean.lerp_(mean, pace)
            self.running_var.lerp_(variance, pace)
            self.num_batches_tracked += 1
        return functional.batch_norm(
            x, None, None, self.weight * ratio, self.bias + self.weight * offset, training=True, eps=self.eps
        )


class ConvNorm(nn.Sequential):
    """Convolution and batch normalisation; the exporter folds the two into one convolution."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, bias=False), BatchRenorm(outputs)
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
