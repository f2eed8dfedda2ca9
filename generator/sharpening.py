"""A few filters at the camera's own resolution, and how much of each counts where.

Undoing a blur takes the same exact filter at every pixel. A trunk that sees patches must learn it once for each
pixel of a patch, and has no channels to spare for more than one; here it only says how much. Sources: Wiener's filter
(1949), of which two basis filters hold nearly all that blurs of different widths need; kernels blended per place
(Mildenhall et al., Burst Denoising with Kernel Prediction Networks, 2018).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.blocks import zero_init

REACH = 4
"""Pixels that a filter sees to each side."""
WIDTHS = (1.0, 2.8)
"""Deviations, in pixels, of the Gaussian blurs that the filters start as the best ones against."""
FILTERS = len(WIDTHS)
CONTRAST, ROUNDING = 50.0, 1.0
"""Deviations, in 8-bit levels, of the pictures and of what errs in a blurred one that those are best for."""
HIDDEN = 32
LEAST_EDGE = 0.01
PERIOD = 64
"""Pixels after which the pictures' spectrum is taken to repeat."""


def wiener(width: float) -> Tensor:
    """The filter whose answer, added to a blurred picture, comes nearest to the sharp one; [2 REACH + 1] squared.

    Of all filters of this reach, for pictures whose power falls with the square of the frequency, as photographs' does
    (Field, 1987).
    """
    line = torch.fft.fftfreq(PERIOD, dtype=torch.float64)
    frequency = torch.hypot(line[:, None], line)
    power = 1.0 / (frequency**2 + 1.0 / PERIOD**2)
    power *= CONTRAST**2 / power.sum()
    left = torch.exp(-2.0 * (torch.pi * width * frequency) ** 2)
    blurred, lost = (torch.fft.ifft2(part).real * PERIOD**2 for part in (power * left**2, power * left * (1 - left)))
    place = torch.arange(-REACH, REACH + 1)
    rows, columns = (axis.flatten() for axis in torch.meshgrid(place, place, indexing="ij"))
    like = blurred[(rows[:, None] - rows) % PERIOD, (columns[:, None] - columns) % PERIOD]
    like += ROUNDING**2 * torch.eye(len(rows))
    best: Tensor = torch.linalg.solve(like, lost[rows % PERIOD, columns % PERIOD])
    return best.reshape(len(place), len(place)).float()


class Sharpening(nn.Module):
    """sum over k of a_k (f_k * y), with a_k per cell; an a below 0 smooths. Untrained, a is 0.

    A part of a is the same all over the picture. It follows from the prompt, which tells how strong a blur is, and from
    how much structure there is of each kind, which tells a motion from a lens out of focus.
    """

    def __init__(self, fine: int, middle: int, patch: int, condition: int) -> None:
        super().__init__()
        self.patch, self.condition = patch, condition
        self.filters = nn.Parameter(torch.stack([wiener(width) for width in WIDTHS]))
        hidden, known = middle // 2, fine + condition
        self.local = nn.Sequential(nn.Conv2d(middle, hidden, 1), nn.ReLU(), zero_init(nn.Conv2d(hidden, FILTERS, 1)))
        self.whole = nn.Sequential(nn.Linear(known, HIDDEN), nn.ReLU(), zero_init(nn.Linear(HIDDEN, FILTERS)))

    def kernels(self) -> Tensor:
        """The filters as they see a cell and what is around it, [FILTERS patch^2, 1, patch + 2 REACH, the same]."""
        # Without a mean: light is not theirs to change.
        centred = self.filters - self.filters.mean(dim=(1, 2), keepdim=True)
        rest = self.patch - 1
        placed = [
            functional.pad(centred, (column, rest - column, row, rest - row))
            for row in range(self.patch)
            for column in range(self.patch)
        ]
        return torch.stack(placed, dim=1).flatten(0, 1)[:, None]

    def amounts(self, x: Tensor, edges: Tensor, condition: Tensor | None) -> Tensor:
        """How much of each filter counts in each cell, [B,FILTERS,h,w]."""
        structure = torch.log(LEAST_EDGE + edges.mean(dim=(2, 3)))
        if condition is None:
            condition = structure.new_zeros(len(structure), self.condition)
        whole = self.whole(torch.cat([structure, condition], dim=1))
        amounts: Tensor = self.local(x) + whole[:, :, None, None]
        return functional.interpolate(amounts, scale_factor=2.0, mode="nearest")

    def forward(self, y: Tensor, x: Tensor, edges: Tensor, condition: Tensor | None) -> Tensor:
        """Changes of the pixels of each cell, [B,patch^2,h,w].

        Args:
            y: Luma [B,1,H,W].
            x: Features [B,M,h/2,w/2].
            edges: [B,F,...] how much fine structure there is, per kind.
            condition: [B,D] the embedded prompt, if there is one.
        """
        found = functional.conv2d(around(y), self.kernels(), stride=self.patch)
        found = found.reshape(len(y), FILTERS, -1, *found.shape[2:])
        changes: Tensor = (found * self.amounts(x, edges, condition)[:, :, None]).sum(dim=1)
        return changes


def around(y: Tensor) -> Tensor:
    """Planes with as much at their edges as filters see, their border repeated."""
    return functional.pad(y, (REACH,) * 4, mode="replicate")
