"""How far a map may move a sample: what is black or white stays, and what is close to it gives way less.

So letterbox bars stay black without a tint, what was not clipped does not clip, and brighter stays brighter. Far from
both ends a sample takes all of the map. All of it in bytes, of which a processor does many at a time.
"""

from __future__ import annotations

import cv2
import numpy as np

from stream.frames.levels import BLACK, LUMA
from stream.frames.planes import Plane

NONE = 128
"""Byte that stands for no change."""


class Limits:
    """For planes of one size after the other, with memory to work in."""

    def __init__(self) -> None:
        self._down, self._up, self._less, self._more = _bytes((0, 0))

    def of_luma(self, luma: Plane, full_range: bool) -> None:
        """It may fall half of the way to black, and rise half of the way to white and by what it is above black."""
        self._ends(luma, full_range)
        np.right_shift(self._up, 1, out=self._up)
        cv2.min(self._down, self._up, dst=self._up)
        np.right_shift(self._down, 1, out=self._down)

    def of_chroma(self, luma: Plane, full_range: bool) -> None:
        """It may go as far as luma, here in chroma's size, is from black and white."""
        self._ends(luma, full_range)
        cv2.min(self._down, self._up, dst=self._up)
        np.copyto(self._down, self._up)

    def _ends(self, luma: Plane, full_range: bool) -> None:
        """How far luma is above black and below white, 0 where it is beyond them."""
        if self._up.shape != luma.shape:
            self._down, self._up, self._less, self._more = _bytes(luma.shape)
        black, white = (0, 255) if full_range else (BLACK, BLACK + int(LUMA))
        cv2.subtract(luma, (black, 0, 0, 0), dst=self._down)  # type: ignore[call-overload]
        cv2.subtract((white, 0, 0, 0), luma, dst=self._up)  # type: ignore[call-overload]

    def lay(self, plane: Plane, cells: Plane) -> Plane:
        """A plane under a map of cells, in bytes as `NONE` says, as far as there is room; the very same without one."""
        least, most, _, _ = cv2.minMaxLoc(cells)
        out = plane
        cv2.resize(cells, plane.shape[::-1], dst=self._more, interpolation=cv2.INTER_LINEAR)
        if least < NONE:
            cv2.subtract((NONE, 0, 0, 0), self._more, dst=self._less)  # type: ignore[call-overload]
            out = np.asarray(cv2.subtract(out, cv2.min(self._less, self._down, dst=self._less)), np.uint8)
        if most > NONE:
            cv2.subtract(self._more, (NONE, 0, 0, 0), dst=self._more)  # type: ignore[call-overload]
            cv2.min(self._more, self._up, dst=self._more)
            out = np.asarray(cv2.add(out, self._more, dst=None if out is plane else out), np.uint8)
        return out

    def given(self, change: Plane) -> Plane:
        """What of a change, in bytes too, there is room for; overwritten by the next one."""
        cv2.subtract((NONE, 0, 0, 0), self._down, dst=self._less)  # type: ignore[call-overload]
        cv2.add(self._up, (NONE, 0, 0, 0), dst=self._more)  # type: ignore[call-overload]
        cv2.max(change, self._less, dst=self._less)
        return np.asarray(cv2.min(self._less, self._more, dst=self._less), np.uint8)


def _bytes(shape: tuple[int, ...]) -> list[Plane]:
    return [np.empty(shape, np.uint8) for _ in range(4)]
