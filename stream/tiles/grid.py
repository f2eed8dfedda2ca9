"""Where the tiles of a frame lie, and how much each says in every place."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OVERLAP = 64
"""Least overlap of neighbours, px; half a tile where that is less."""
RIM = 0.25
"""Share of the overlap, at a tile's border, that says nothing where a neighbour can: it has seen less than the rest."""

Ramp = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tile:
    """A square of the frame."""

    x: int
    """Left edge, px, even; negative where the frame is narrower than the tile"""
    y: int
    """Top edge, px, even; negative where the frame is lower"""


@dataclass(frozen=True, slots=True)
class Grid:
    """The tiles of a frame, row by row."""

    edge: int
    """Of a tile, px"""
    columns: tuple[int, ...]
    """Left edges"""
    rows: tuple[int, ...]
    """Top edges"""
    across: tuple[Ramp, ...]
    """For each column [edge] the weights along a row of its tiles: with those of its neighbours, 1 everywhere"""
    down: tuple[Ramp, ...]

    @property
    def tiles(self) -> list[Tile]:
        """All of them."""
        return [Tile(x, y) for y in self.rows for x in self.columns]

    def weights(self, index: int) -> Ramp:
        """[edge, edge] of the tile of that number; over all tiles they add up to 1 within the frame."""
        row, column = divmod(index, len(self.columns))
        return np.asarray(np.outer(self.down[row], self.across[column]), np.float32)


def grid_of(width: int, height: int, edges: tuple[int, ...]) -> Grid:
    """The grid for a frame.

    Args:
        width: Of luma, px.
        height: Of luma, px.
        edges: Of the graphs there are, multiples of 4; the smallest that holds the frame's shorter side is taken.
    """
    edge = min((e for e in edges if e >= min(width, height)), default=max(edges))
    columns, rows = _starts(width, edge), _starts(height, edge)
    return Grid(edge, columns, rows, _shares(columns, width, edge), _shares(rows, height, edge))


def _overlap(edge: int) -> int:
    return min(OVERLAP, edge // 2)


def _starts(length: int, edge: int) -> tuple[int, ...]:
    """As few as will do, evenly spread, the last one flush with the end."""
    if length <= edge:
        return (-((edge - length) // 4 * 2),)
    overlap = _overlap(edge)
    count = math.ceil((length - overlap) / (edge - overlap))
    # An odd frame's last column lies outside the last tile's even start by one: a tile may hang over the end.
    last = (length - edge + 1) // 2 * 2
    return tuple(round(last * i / (count - 1) / 2) * 2 for i in range(count))


def _shares(starts: tuple[int, ...], length: int, edge: int) -> tuple[Ramp, ...]:
    """Smooth hats, divided by their sum."""
    hats, overlap = [], _overlap(edge)
    rim = RIM * overlap
    for start in starts:
        place = np.arange(start, start + edge)
        left = np.full(edge, np.inf) if start <= 0 else np.arange(edge) - rim
        right = np.full(edge, np.inf) if start + edge >= length else np.arange(edge)[::-1] - rim
        rise = np.clip(np.minimum(left, right) / (overlap - 2 * rim), 0.0, 1.0)
        hat = np.zeros(length)
        there = (place >= 0) & (place < length)
        hat[place[there]] = (rise * rise * (3 - 2 * rise))[there]
        hats.append(hat)
    total = np.sum(hats, axis=0)
    return tuple(_cut(hat / total, start, edge) for hat, start in zip(hats, starts, strict=True))


def _cut(shares: NDArray[np.float64], start: int, edge: int) -> Ramp:
    """The part that a tile covers; what hangs over the frame has the weight 0."""
    out = np.zeros(edge, np.float32)
    low, high = max(0, start), min(len(shares), start + edge)
    out[low - start : high - start] = shares[low:high]
    return out
