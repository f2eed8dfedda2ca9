"""A number in the picture that survives codecs: which frame of the clip this is.

Black and white cells in two rows in the upper left corner: a black one and a white one to tell the levels by, 16 bits
of the number, 8 bits of a checksum. A cell is 1/45 of the picture's height, so a picture that was scaled on its way is
read as well as any; the levels are measured, so one that was brightened is, too.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
COLUMNS, ROWS = 13, 2
CELLS_PER_HEIGHT = 45
MIN_HEIGHT = 180
"""Rows of the smallest picture whose cells a codec at a call's bitrate leaves readable: 4 pixels each."""
LAST = 0xFFFF
"""The largest number."""
DARK, LIGHT = 16, 235
MIN_CONTRAST = 60
"""Between the black and the white cell; a picture without a stamp rarely has as much just there."""


def write(luma: Luma, number: int) -> None:
    """Write a number from 0 to `LAST` into a luma plane [H, W]; H is at least `MIN_HEIGHT`, and W half of H."""
    edges = np.round(np.arange(COLUMNS + 1) * luma.shape[0] / CELLS_PER_HEIGHT).astype(int)
    for place, light in enumerate([False, True, *_bits(number)]):
        row, column = divmod(place, COLUMNS)
        luma[edges[row] : edges[row + 1], edges[column] : edges[column + 1]] = LIGHT if light else DARK


def read(luma: Luma) -> int | None:
    """The number in a luma plane [H, W]; None where there is none, or none that can be trusted."""
    cell = luma.shape[0] / CELLS_PER_HEIGHT
    if luma.shape[0] < CELLS_PER_HEIGHT or luma.shape[1] < COLUMNS * cell:
        return None
    reach = cell / 4
    centres = (np.arange(COLUMNS) + 0.5) * cell
    # The middle half of each cell: its borders are blurred.
    low, high = np.floor(centres - reach).astype(int), np.ceil(centres + reach).astype(int)
    levels = [
        float(luma[low[row] : high[row], low[column] : high[column]].mean())
        for row in range(ROWS)
        for column in range(COLUMNS)
    ]
    dark, light, *cells = levels
    if light - dark < MIN_CONTRAST:
        return None
    bits = [level > (dark + light) / 2 for level in cells]
    number = sum(bit << place for place, bit in enumerate(bits[:16]))
    return number if bits == _bits(number) else None


def _bits(number: int) -> list[bool]:
    checksum = zlib.crc32(number.to_bytes(2, "little")) & 0xFF
    return [bool((checksum << 16 | number) >> place & 1) for place in range(24)]
