"""Exposure, apart from detail: a coarse map of log-gains, slow to change.

Source: the split of illumination and detail that low-light video needs (DL-Diff, CUGD): a gain that is decided anew in
each frame flickers, and amplifies what noise there is.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.blocks import zero_init

DARKEST, BRIGHTEST = -1.0, 2.0
"""Range of the log-gain: a factor of 0.37 to 7.4 on gamma-coded values."""
RATE = 0.08
"""Most that a log-gain changes from frame to frame."""
BLACK = 16 / 255
GREY = 128 / 255
STATISTICS = 2


class Illumination(nn.Module):
    """Latent and brightness of the whole crop to log-gains of luma and chroma, [B,2,h/2,w/2]; zero at the start."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.local = nn.Conv2d(channels, width, 1)
        self.overall = nn.Linear(STATISTICS, width)
        self.out = zero_init(nn.Conv2d(width, 2, 1))

    def forward(self, z: Tensor, mean: Tensor, asked: Tensor, before: Tensor, keep: Tensor) -> Tensor:
        """Log-gains of a frame.

        Args:
            z: [B,C,h,w]
            mean: [B,1] of the Y plane, 0..1
            asked: [B,1] in 0..1, how far the prompt speaks of light at all. Without it, clips whose light is right
                hold all gains at zero in training: there the least gain costs more than the lack of one in the dark.
            before: [B,2,h/2,w/2] of the last frame.
            keep: [B,1]; where it is 0 there was no last frame, and no limit to the change.
        """
        overall = self.overall(torch.cat([mean, torch.log(mean + 0.02)], dim=1))[:, :, None, None]
        # Leaky: with a plain ReLU all units died within minutes of training, and the gain with them.
        hidden = functional.leaky_relu(self.local(functional.avg_pool2d(z, 2)) + overall, 0.1)
        wanted = asked[:, :, None, None] * torch.clamp(self.out(hidden), DARKEST, BRIGHTEST)
        free = (1.0 - keep)[:, :, None, None] * (BRIGHTEST - DARKEST)
        change = wanted - before
        return before + torch.minimum(torch.maximum(change, -RATE - free), RATE + free)


def illuminate(
    y: Tensor, uv: Tensor, log_gain: Tensor, amount: Tensor, full: float = 1.0
) -> tuple[Tensor, Tensor]:
    """What the gains change in y [B,1,H,W] and uv [B,2,H/2,W/2], `amount` [B,1,1,1] of the way in log-gain.

    `full` is what stands for 255 in the planes.
    """
    cell = y.shape[2] // log_gain.shape[2]
    luma, chroma = (torch.exp(amount * log_gain) - 1.0).chunk(2, dim=1)
    return (y - full * BLACK) * spread(luma, cell), (uv - full * GREY) * spread(chroma, cell // 2)


def spread(coarse: Tensor, factor: int) -> Tensor:
    """Bilinear interpolation as two matrix products: a quarter of the time of the operator that does the same."""
    rows, columns = (_blend(cells, factor, coarse.device).to(coarse.dtype) for cells in coarse.shape[2:])
    return rows @ coarse @ columns.transpose(0, 1)


def _blend(cells: int, factor: int, device: torch.device) -> Tensor:
    """[factor * cells, cells] weights of the cells for each place between their centres.

    Made where they are needed: a CUDA graph records no copy from ordinary memory, and any other step waits for it.
    """
    place = (torch.arange(factor * cells, device=device) + 0.5) / factor - 0.5
    return torch.relu(1.0 - (place.clamp(0, cells - 1)[:, None] - torch.arange(cells, device=device)).abs())
