"""A crop larger than its graph: noise of what is finer than the graph's pixels goes as well.

The graph restores the crop scaled down, and its change is scaled up; what the frame has beyond that, finer than the
graph can see, would stay as noisy as it was. Here it is weakened place by place as by Wiener's filter (Lim,
Two-Dimensional Signal and Image Processing, 1990, 9.2): where the generator took noise away, as much of it is expected
in the finer band, and what the band holds beyond that is taken for picture.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.face.crop import Crop
from stream.frames.cut import CutBuffer, cut, reduced
from stream.frames.paste import Change, Room
from stream.frames.planes import Plane, Planes

CELL = 8
"""Samples along the edge of what noise and band are averaged over."""
NEAR = 5
"""Window, in samples of the graph, beyond which a change is no matter of noise but of light."""
SMALL = 64
"""Edge of what the noise is measured on."""
LEAST = 1e-3
"""Mean square below which a band holds nothing."""
SURELY = 1.5
"""Times the noise expected: its average over a cell scatters, and what is left of it shows more than picture lost."""


class Finer:
    """For one stream, with memory for the crop as the frame has it."""

    def __init__(self) -> None:
        self._make(0)

    def _make(self, size: int) -> None:
        self._native, self._band, self.room = CutBuffer(size), Room(size), Room(size)

    def __call__(
        self, changes: list[Change], planes: Planes, crop: Crop, full_range: bool, share: float
    ) -> list[Change]:
        """The changes scaled up to the crop's own size, with the finer noise taken away.

        Args:
            changes: Of Y [G, G], U and V [G/2, G/2], in levels of limited range.
            planes: What they are to be added to.
            crop: Where; its size is above G.
            full_range: Whether the planes use 0..255.
            share: 0..1 how much of the noise is to go.

        Returns:
            Changes of Y [S, S], U and V [S/2, S/2] for a crop of edge S; they stay until the next call.
        """
        if self.room.edge != crop.size:
            self._make(crop.size)
        cut(planes, crop.x, crop.y, crop.size, full_range, self._native)
        native = self._native.y[0, 0], *self._native.uv[0]
        for change, plane, band, made in zip(changes, native, self._band.changes, self.room.changes, strict=True):
            finer(change, plane, share, made, band, self.room.spread(len(made)))
        return self.room.changes


def finer(change: Change, native: Plane, share: float, out: Change, band: Change, weight: Change) -> None:
    """Scale a change [G, G] up to `out`, and take away the noise of `native` that is finer than it; all others [S, S].

    `band` and `weight` are memory to work in.
    """
    edge, size = len(change), len(native)
    cv2.resize(change, (size, size), dst=out, interpolation=cv2.INTER_LINEAR)
    coarse = cv2.resize(reduced(native, edge), (size, size), interpolation=cv2.INTER_LINEAR)
    cv2.subtract(native, coarse, dst=band, dtype=cv2.CV_32F)
    there = _energy(band, weight)
    noise = cv2.resize(_energy(near(change)), there.shape[::-1], interpolation=cv2.INTER_LINEAR)
    lost = np.minimum(SURELY * noise_ratio(edge, size) * noise / np.maximum(there, LEAST), 1)
    cv2.resize(np.float32(share) * lost, (size, size), dst=weight, interpolation=cv2.INTER_LINEAR)
    cv2.subtract(out, cv2.multiply(band, weight, dst=band), dst=out)


def near(change: Change) -> Change:
    """A change less its mean over a few samples around."""
    return np.asarray(cv2.subtract(change, cv2.boxFilter(change, -1, (NEAR, NEAR))), np.float32)


def _energy(values: Change, squares: Change | None = None) -> NDArray[np.float32]:
    """Mean square over cells, each with its neighbours; worked out in `squares` where that is given."""
    cells = max(1, len(values) // CELL)
    means = cv2.resize(cv2.multiply(values, values, dst=squares), (cells, cells), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.blur(means, (3, 3)), np.float32)


@lru_cache(maxsize=32)
def noise_ratio(edge: int, size: int) -> float:
    """Energy per sample that white noise has in the band that is finer than the graph, by that of `near`.

    Measured on a small picture of the same ratio: it is asked for within a frame.
    """
    edge, size = SMALL, round(SMALL * size / edge)
    noise = np.random.default_rng(1).normal(128, 20, (size, size))
    native = np.clip(np.rint(noise), 0, 255).astype(np.uint8)
    small = reduced(native, edge)
    coarse = cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR)
    band = cv2.subtract(native, coarse, dtype=cv2.CV_32F)
    seen = near(small.astype(np.float32) - 128)
    return float(np.mean(np.square(band)) / np.mean(np.square(seen)))
