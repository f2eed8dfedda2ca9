"""Pictures for the report: before, after and reference over time, and one column of pixels through time."""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks.quality.protocol import Case
from training.faces import Picture

CELL = 192
"""Edge of a film strip's cell, px"""
COLUMNS = 4
SLICE_HEIGHT, STEP = 256, 12
"""Height of a time slice and width of a frame in it, px"""
QUALITY = 85
WHITE = 255


def film(clips: list[list[Picture]]) -> bytes:
    """A row of frames for each clip, the same frames in all; JPEG."""
    count = len(clips[0])
    chosen = np.unique(np.linspace(0, count - 1, COLUMNS).round().astype(int))
    return _jpeg(np.vstack([np.hstack([_cell(clip[i]) for i in chosen]) for clip in clips]))


def slices(clips: list[list[Picture]], column: int) -> bytes:
    """For each clip the pixels of one column, time from left to right, side by side; JPEG.

    What stands still is a level line, what flickers a fence.
    """
    gap = np.full((SLICE_HEIGHT, STEP, 3), WHITE, np.uint8)
    parts: list[Picture] = []
    for clip in clips:
        through = np.stack([frame[:, column] for frame in clip], axis=1)
        size = (len(clip) * STEP, SLICE_HEIGHT)
        parts += [np.asarray(cv2.resize(through, size, interpolation=cv2.INTER_NEAREST), np.uint8), gap]
    return _jpeg(np.hstack(parts[:-1]))


def face_column(case: Case) -> int:
    """The column through an eye in the first frame, where much is to be seen; without a face the middle."""
    width = int(case.bad[0].shape[3])
    if case.landmarks is None:
        return width // 2
    eye = float(case.landmarks[0, [33, 133], 0].mean())
    return int(min(max(0.0, eye), width - 1.0))


def _cell(frame: Picture) -> Picture:
    height, width = frame.shape[:2]
    factor = CELL / max(height, width)
    small = cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    down, right = CELL - small.shape[0], CELL - small.shape[1]
    return np.asarray(cv2.copyMakeBorder(small, 0, down, 0, right, cv2.BORDER_CONSTANT, value=(0, 0, 0)), np.uint8)


def _jpeg(picture: Picture) -> bytes:
    _, content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return bytes(content.tobytes())
