"""Where one scene of a stream ends and the next begins."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.frames.planes import Plane

CUT = 0.5
"""Share of the thumbnail's variance that has to be new for a scene cut: 0 nothing, about 1 everything."""
_THUMBNAIL = 16, 9
_QUIET = 4.0
"""Variance of a thumbnail that is noise alone: a black picture never cuts."""


class Scene:
    """The scene that a stream shows; one answer a frame serves all that remember something of it.

    Another size is the same scene, whatever it shows: calls change theirs as the line allows. Who counts in pixels
    sees to that himself.
    """

    def __init__(self) -> None:
        self._thumbnail: NDArray[np.float32] | None = None

    def ends(self, luma: Plane) -> bool:
        """Look at the next frame's luma plane [H, W]: whether it shows another scene than the frame before."""
        before, self._thumbnail = self._thumbnail, thumbnail(luma)
        return before is not None and is_cut(before, self._thumbnail)


def thumbnail(luma: Plane) -> NDArray[np.float32]:
    """A few averages [9, 16] of the luma plane [H, W], from every n-th pixel."""
    stride = max(1, min(luma.shape) // 90)
    sparse = np.ascontiguousarray(luma[::stride, ::stride], np.float32)
    return cv2.resize(sparse, _THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)


def is_cut(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    """Whether two thumbnails show different scenes; brighter or darker alone is the same scene."""
    before, after = before - before.mean(), after - after.mean()
    change = float(np.mean((after - before) ** 2))
    return change > CUT * (float(np.mean(before**2)) + float(np.mean(after**2)) + _QUIET)
