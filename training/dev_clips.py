"""Clips of people who are never trained on, the same for ever; those made from stills move, and how is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.faces import Picture, list_faces, load_clip, load_still
from training.lookup import pixel_grid
from training.planar import Floats
from training.warp_error import Motion, known_motion

FRAMES = 4
"""Frames a clip is judged over."""
SPEEDS = (0.75, 0.0, 1.5, 0.25)
"""Pixels a frame that one still after another moves by: a call is mostly a person who hardly moves."""
TURN = np.pi * (3 - 5**0.5)
"""From one still's direction to the next one's: the golden angle, which no two share."""
GRID = 32
"""Pictures are looked up at places of 1/32 px: a motion on that grid is exact."""
MARGIN = 4
"""Pixels beyond a frame that the interpolation reaches for."""


@dataclass(frozen=True, slots=True)
class DevClip:
    """Frames of one person."""

    frames: list[Picture]
    """Square, of equal size"""
    shifts: Floats | None
    """[T,2], x and y: how far everything lies from where it was in the first frame, px; None in a real clip, where
    nobody knows"""

    def motion(self) -> list[Motion] | None:
        """From each frame back to the one before; None where nobody knows."""
        if self.shifts is None:
            return None
        matrices = np.tile(np.eye(2, 3, dtype=np.float32), (len(self.shifts), 1, 1))
        matrices[:, :, 2] = self.shifts
        return known_motion(matrices, *self.frames[0].shape[:2])

    def follow(self, points: Floats) -> Floats:
        """Where points [N,2] of the first frame are in each, [T,N,2]; in a real clip, too short for more, they stay."""
        shifts = np.zeros((len(self.frames), 2), np.float32) if self.shifts is None else self.shifts
        return points[None] + shifts[:, None]


def dev_clips(folder: Path, size: int, limit: int | None = None) -> list[DevClip]:
    """Per file the centre `size` square (less where the file is smaller), at native resolution.

    A still moves as far as there is more of it around the square; where there is nothing, it stands still.

    Raises:
        BadInput: There are no files, or one cannot be read.
    """
    files = list_faces(folder)
    if limit is not None:
        files = files[:: max(1, len(files) // limit)][:limit]
    return [
        _middle(load_clip(file.path, FRAMES), size) if file.clip else _moving(load_still(file.path), size, index)
        for index, file in enumerate(files)
    ]


def _middle(frames: list[Picture], size: int) -> DevClip:
    edge, left, top = _square(frames[0], size)
    return DevClip([np.ascontiguousarray(f[top : top + edge, left : left + edge]) for f in frames], None)


def _moving(still: Picture, size: int, index: int) -> DevClip:
    edge, left, top = _square(still, size)
    velocity = SPEEDS[index % len(SPEEDS)] * np.array([np.cos(index * TURN), np.sin(index * TURN)])
    # Nothing that the still does not show comes into the frame.
    room = np.maximum(0, np.minimum((left, top), (still.shape[1] - edge - left, still.shape[0] - edge - top)) - MARGIN)
    times = np.arange(FRAMES) - (FRAMES - 1) / 2
    velocity = np.clip(velocity, -room / times[-1], room / times[-1])
    shifts = np.rint(GRID * times[:, None] * velocity) / GRID
    return DevClip([_seen(still, edge, (left, top) - s) for s in shifts], np.asarray(shifts - shifts[0], np.float32))


def _seen(still: Picture, edge: int, corner: NDArray[np.float64]) -> Picture:
    x, y = cv2.split(np.asarray(pixel_grid(edge) + corner, np.float32))
    # Not by cubic interpolation: OpenCV's is off by up to 0.05 px, this by 0.015, and keeps more detail.
    return np.asarray(cv2.remap(still, x, y, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT_101), np.uint8)


def _square(picture: Picture, size: int) -> tuple[int, int, int]:
    """Edge, left and top of the square in the middle."""
    height, width = picture.shape[:2]
    edge = min(size, height // 32 * 32, width // 32 * 32)
    return edge, (width - edge) // 2, (height - edge) // 2
