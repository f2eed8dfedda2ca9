"""The 8 x 8 grid that JPEG and video coders leave in a picture.

After Wang, Bovik and Evans, "Blind Measurement of Blocking Artifacts in Images", ICIP 2000, in the pixel domain: steps
that stand out of their neighbours, averaged by column modulo 8. The grid's place is searched for, since pictures are
cropped after they were coded: in one half of the picture, and measured in the other, since the best of eight places
stands out by chance as well, the more so in a small picture.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GRID = 8
STRONGEST = 8.0
"""A step counts no more than this: an edge of the picture is no block."""


def blockiness(luma: NDArray[np.uint8]) -> float:
    """How far steps on the grid stand out, in units of the picture's usual step; near 0 without blocks.

    Args:
        luma: [M, M] in the pixels that the coder saw.
    """
    if min(luma.shape) < 3 * GRID:
        return 0.0
    picture = luma.astype(np.float32)
    return (_along(picture) + _along(picture.T)) / 2


def _along(picture: NDArray[np.float32]) -> float:
    steps = np.abs(np.diff(picture, axis=1))
    standing = np.clip(steps[:, 1:-1] - (steps[:, :-2] + steps[:, 2:]) / 2, -STRONGEST, STRONGEST)
    whole = standing.shape[1] // GRID * GRID
    halves = [half[:, :whole].mean(axis=0).reshape(-1, GRID).mean(axis=0) for half in np.array_split(standing, 2)]
    found = []
    for searched, measured in (halves, halves[::-1]):
        place = int(searched.argmax())
        found.append(float(measured[place] - np.median(np.delete(measured, place))))
    return float(np.mean(found)) / (float(np.median(steps)) + 0.5)
