"""What was restored last steadies what is restored now: a running mean over the frames that agree.

It is the cheapest denoiser there is: where a picture stands still, noise, rain and an encoder's whims average out over
all its frames. Sources: recursive temporal denoisers, with the count of frames of an accumulation buffer (Nehab et al.,
Accelerating Real-Time Shading with Reverse Reprojection Caching, 2007). What differs: two frames are compared as they
are restored, when noise hardly hides what moves any more, and the prompt says how far they may differ.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.illumination import spread
from generator.stem import cosine_basis

Planes = tuple[Tensor, Tensor]
"""Y [B,1,H,W] and UV [B,2,H/2,W/2]"""

KINDS = 8
"""Coefficients of a patch that are compared, at most, of luma and of chroma: the coarsest."""
UNIT = 0.02
"""Of the planes' range: differences are counted in these."""
MOST = 4.0
"""Frames that the mean stands for, at most. Twice as many give a still picture 0.1 dB more, and cost as much where a
head moves slowly."""
CAUTION = 2.0
"""Times as much as in training differences count in a call, where people move more than a moved still does. A talking
head under noise then loses 0.1 dB instead of 0.4 against no mean, still pictures gain as much as before; under rain all
gain a quarter less."""
OPEN_AT, CLOSES_AT = 0.9, 0.3
"""Start values once it is open: agreement of equal frames, and what a mean square of 1 takes away from it."""


class Accumulation(nn.Module):
    """x + g n / (n + 1) (q - x) for planes x restored now and q restored last, and the next n: 1 + g n.

    g in 0..1 per cell is how far the two agree, n of how many frames q is the mean there. What differs counts less
    where there is much detail or noise: a given motion differs by as much as there is detail. Until opened, g is 0.
    """

    def __init__(self, fine: int, patch: int, condition: int | None) -> None:
        super().__init__()
        self.cell = 2 * patch
        self.y = nn.Conv2d(1, 2 * KINDS, patch, stride=patch, bias=False)
        self.uv = nn.Conv2d(2, 2 * KINDS, patch // 2, stride=patch // 2, bias=False)
        self.differs = nn.Conv2d(2 * KINDS, 1, 1, bias=False)
        nn.init.constant_(self.differs.weight, CLOSES_AT / (2 * KINDS))
        self.structure = nn.Conv2d(fine, 1, 1, bias=False)
        nn.init.constant_(self.structure.weight, 1.0 / fine)
        self.openness = nn.Parameter(torch.zeros(1))
        self.opens = self.closes = None
        if condition is not None:
            self.opens, self.closes = (nn.Linear(condition, 1, bias=False) for _ in range(2))
            nn.init.zeros_(self.opens.weight)
            nn.init.zeros_(self.closes.weight)
        self.scale = 1.0 / UNIT
        self.caution = CAUTION
        self._start_as_transform()

    @torch.no_grad()
    def _start_as_transform(self) -> None:
        """Coarse detail of luma in the first kinds, that of chroma in the others."""
        patch = self.cell // 2
        coarse = sorted(range(patch**2), key=lambda i: (i // patch + i % patch, i))[:KINDS]
        self.y.weight.zero_()
        self.y.weight[: len(coarse), 0] = cosine_basis(patch)[coarse]
        self.uv.weight.zero_()
        chroma = cosine_basis(patch // 2)
        for kind in range(min(KINDS, 2 * len(chroma))):
            self.uv.weight[KINDS + kind, kind % 2] = chroma[kind // 2]

    @torch.no_grad()
    def open(self) -> None:
        """Let what is restored last in, if it never was."""
        if not self.openness.any():
            self.openness.fill_(OPEN_AT)

    def forward(
        self, now: Planes, before: Planes, frames: Tensor, patches: Tensor, condition: Tensor | None, amount: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What the mean changes, and the next count.

        Args:
            now: Planes restored now, [B,1,H,W] and [B,2,H/2,W/2].
            before: Planes restored last.
            frames: [B,1,h/2,w/2] of how many frames those are the mean; 0 where there were none.
            patches: [B,F,h,w] of the frame as it came, normalised per kind.
            condition: [B,D] the embedded prompt, if there is one.
            amount: [B,1,1,1] in 0..1, how far to go.

        Returns:
            What is to be added to each plane of `now`, and the count.
        """
        back_y, back_uv = before[0] - now[0], before[1] - now[1]
        agree = self._agreement(back_y, back_uv, patches, condition)
        counted = agree * frames
        share = amount * counted / (1.0 + frames)
        change_y, change_uv = spread(share, self.cell) * back_y, spread(share, self.cell // 2) * back_uv
        return change_y, change_uv, torch.clamp(1.0 + counted, max=MOST)

    def _agreement(
        self, difference_y: Tensor, difference_uv: Tensor, patches: Tensor, condition: Tensor | None
    ) -> Tensor:
        """How far the planes agree, [B,1,h/2,w/2]."""
        if self.scale != 1:
            difference_y, difference_uv = self.scale * difference_y, self.scale * difference_uv
        found = self.y(difference_y) + self.uv(difference_uv)
        smooth = functional.avg_pool2d(found, 2)
        detail = functional.avg_pool2d(patches * patches, 2)
        differs = self.differs(smooth * smooth) / (1.0 + torch.relu(self.structure(detail)))
        if not self.training and self.caution != 1:
            differs = self.caution * differs
        opens = self.openness
        if self.opens is not None and self.closes is not None and condition is not None:
            opens = (opens * (1.0 + self.opens(condition)))[:, :, None, None]
            differs = differs * (1.0 + self.closes(condition))[:, :, None, None]
        # The worst of the neighbours, too: shares are spread smoothly, and would leak across the border of what moves.
        return torch.clamp(opens - functional.max_pool2d(differs, 3, stride=1, padding=1), 0.0, 1.0)
