"""Y, U and V planes of a decoded frame, seen without a copy and without a colour conversion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]


@dataclass(slots=True)
class Planes:
    """Views of 8-bit planes; u and v are at half resolution, rounded up (4:2:0)."""

    y: Plane
    """[H, W]"""
    u: Plane
    """[ceil(H/2), ceil(W/2)]"""
    v: Plane
    """[ceil(H/2), ceil(W/2)]"""

    @property
    def height(self) -> int:
        """Rows of the Y plane."""
        return int(self.y.shape[0])

    @property
    def width(self) -> int:
        """Columns of the Y plane."""
        return int(self.y.shape[1])
