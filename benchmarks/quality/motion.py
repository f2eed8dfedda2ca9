"""Clips from stills for the quality run: a smooth, exactly known motion, the same whatever training draws."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.faces import Picture

PAUSE = 0.35
"""Share of clips that stand still: a call is mostly a person who hardly moves."""


@dataclass(frozen=True, slots=True)
class MotionPath:
    """Where the source picture lies in each frame."""

    matrices: NDArray[np.float32]
    """[T, 2, 3], source pixels to frame pixels"""


def sample_path(rng: np.random.Generator, frames: int, source: tuple[int, int], size: int) -> MotionPath:
    """Draw a motion whose frames of size x size stay inside a source of (height, width) pixels.

    Scale .5 to 1.1 (native resolution or a face farther away), up to 3 pixels and half a degree a frame, slow zoom;
    slow motion is likelier than fast. Speeds change along the clip as a sine does.
    """
    height, width = source
    smallest = size / min(height, width)
    scale = max(smallest, float(rng.uniform(0.5, 1.1)))
    still = rng.random() < PAUSE
    pace_of_clip = 0.0 if still else float(rng.random()) ** 2
    speed = 3.0 * pace_of_clip
    direction, phase = rng.uniform(0, 2 * np.pi, 2)
    turn = pace_of_clip * float(rng.uniform(-0.5, 0.5))
    zoom = pace_of_clip * float(rng.uniform(-0.004, 0.004))
    slack = np.maximum(0.0, np.array([width, height]) * scale - size) / 2
    offset = rng.uniform(-1, 1, 2) * slack
    tilt = float(rng.uniform(-8, 8))
    matrices = np.zeros((frames, 2, 3), np.float32)
    for index in range(frames):
        pace = np.sin(phase + 0.4 * index)
        factor = scale * (1 + zoom * index)
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), tilt + turn * index * pace, factor)
        shift = speed * index * pace * np.array([np.cos(direction), np.sin(direction)])
        matrix[:, 2] += size / 2 - np.array([width, height]) / 2 + offset + shift
        matrices[index] = matrix
    return MotionPath(matrices)


def render(still: Picture, path: MotionPath, size: int) -> list[Picture]:
    """Frames [size,size,3] of the still moved along the path; the border is mirrored."""
    scale = float(np.hypot(path.matrices[0, 0, 0], path.matrices[0, 1, 0]))
    # A strong reduction by bicubic sampling alone would alias.
    source, matrices = still, path.matrices.copy()
    if scale < 0.75:
        source = np.asarray(cv2.resize(still, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        matrices[:, :, :2] *= 2
    return [
        np.asarray(
            cv2.warpAffine(source, m, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101), np.uint8
        )
        for m in matrices
    ]
