"""Whether a crop is so like the last one that what the generator made of that one will do."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.engine import StepOutputs
from stream.face.crop import Crop
from stream.frames.cut import CutBuffer
from stream.frames.planes import Plane
from stream.prompt import Weights

CELL = 16
"""Pixels of the graph along an edge of what is compared: averages, so that noise does not look like motion."""
MOVED = 3.0
"""Levels of 8 bits by which the average of a cell may have changed; noise of 10 levels stays below half of it."""
MOST = 2
"""Frames in a row that get the same: a face must never stand still."""


def averages(luma: Plane) -> NDArray[np.float32]:
    """Mean of each cell: [G, G] to [G / CELL, G / CELL]."""
    small = luma.shape[0] // CELL
    return np.asarray(cv2.resize(luma, (small, small), interpolation=cv2.INTER_AREA), np.float32)


class Last:
    """The last crop that the generator ran on, and what it made of it.

    The output is used again, not the change: added to another frame, the change would bring the noise of its own
    along, the wrong way round.
    """

    def __init__(
        self, crop: Crop, buffer: CutBuffer, wanted: Weights | None, strength: float, out: StepOutputs
    ) -> None:
        """Keep `out`, which stays as it is until the generator runs again, and what it was made for."""
        self._out = out
        self._crop, self._wanted, self._strength = crop, wanted, strength
        self._averages = averages(buffer.y[0, 0])
        self._times = 0

    def again(self, crop: Crop, buffer: CutBuffer, wanted: Weights | None, strength: float) -> StepOutputs | None:
        """What was made of it, where that will do for this crop under this prompt and strength."""
        if self._times >= MOST or crop != self._crop or strength != self._strength or not _same(wanted, self._wanted):
            return None
        if float(np.abs(averages(buffer.y[0, 0]) - self._averages).max()) > MOVED:
            return None
        self._times += 1
        return self._out


def _same(one: Weights | None, other: Weights | None) -> bool:
    return one is other if one is None or other is None else bool(np.array_equal(one, other))
