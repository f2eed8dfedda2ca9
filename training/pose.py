"""Where camera and head are in each frame: smooth shift, turn, zoom and perspective, a shaking hand, pauses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

PAUSE = 0.3
"""Share of clips in which camera and head as a whole stand still: a call is mostly a person who hardly moves."""
NATIVE = 0.5
"""Share of clips whose first frame is the source's own pixels: whatever is resampled is softer than what a camera sees,
and a generator that is shown nothing else learns to be as soft."""
SHAKE_SHARE, BEGIN_SHARE = 0.25, 0.25
"""Clips from a hand that shakes, and moving ones that begin or end with a rest."""
FASTEST, FASTEST_TURN, FASTEST_ZOOM, FASTEST_LEAN = 3.0, 0.5, 0.004, 0.004
"""A frame: pixels, degrees, share, and share by which one edge grows against the opposite one."""


def sample_poses(rng: np.random.Generator, frames: int, source: tuple[int, int], size: int) -> Floats:
    """Homographies [T, 3, 3] from source pixels (height, width) to those of frames of size x size.

    Scale .5 to 1.1 (native resolution, or a face farther away) and no smaller than that the source fills the frame,
    up to 3 pixels and half a degree a frame; slow motion is likelier than fast.
    """
    height, width = source
    scale = max(size / min(height, width), float(rng.uniform(0.5, 1.1)))
    pace = 0.0 if rng.random() < PAUSE else float(rng.random()) ** 2
    slack = np.maximum(0.0, np.array([width, height]) * scale - size) / 2
    # Mostly the middle, where the face is.
    offset = rng.uniform(-1, 1, (2, 2)).mean(axis=0) * slack
    tilt, lean = float(rng.uniform(-8, 8)), rng.uniform(-0.06, 0.06, 2)
    ways = rest(rng, frames)[:, None] * np.stack([swing(rng, frames) for _ in range(6)], axis=1) * pace
    shake = trembling(rng, frames) if rng.random() < SHAKE_SHARE else np.zeros((frames, 3))
    if rng.random() < NATIVE:
        scale, tilt, lean = max(size / min(height, width), 1.0), 0.0, np.zeros(2)
        middle = (size - np.array([width, height])) / 2
        slack = np.maximum(0.0, np.array([width, height]) * scale - size) / 2
        offset = np.rint(np.clip(offset, -slack, slack) + middle) - middle
        ways, shake = ways - ways[0], shake - shake[0]
    matrices = np.zeros((frames, 3, 3), np.float32)
    for index, way in enumerate(ways):
        angle = np.deg2rad(tilt + FASTEST_TURN * way[2] + 0.05 * shake[index, 2])
        factor = scale * (1 + FASTEST_ZOOM * way[3])
        across, down = offset + FASTEST * way[:2] + shake[index, :2]
        right, below = (lean + FASTEST_LEAN * way[4:]) / np.array([width, height])
        centred = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
        turned = factor * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        moved = np.array([[*turned[0], 0], [*turned[1], 0], [right, below, 1]])
        matrices[index] = np.array([[1, 0, size / 2 + across], [0, 1, size / 2 + down], [0, 0, 1]]) @ moved @ centred
    return matrices


def swing(rng: np.random.Generator, frames: int) -> NDArray[np.float64]:
    """A smooth way [T] that goes by at most 1 a frame."""
    pace, phase = float(rng.uniform(0.1, 0.5)), float(rng.uniform(0, 2 * np.pi))
    return np.asarray(float(rng.uniform(0.3, 1)) / pace * np.sin(phase + pace * np.arange(frames)))


def rest(rng: np.random.Generator, frames: int) -> NDArray[np.float64]:
    """Mostly 1 all along [T]; sometimes it rises from 0 or falls to it within the clip."""
    if rng.random() > BEGIN_SHARE:
        return np.ones(frames)
    ramp = np.clip((np.arange(frames) - rng.uniform(0, frames)) / 4 + 0.5, 0, 1)
    ramp = ramp * ramp * (3 - 2 * ramp)
    return np.asarray(ramp if rng.random() < 0.5 else 1 - ramp)


def trembling(rng: np.random.Generator, frames: int) -> NDArray[np.float64]:
    """What a hand adds, [T, 3]: a fraction of a pixel either way, jerkier than a head moves."""
    out = np.zeros((frames, 3))
    last = rng.normal(0, 1, 3)
    for index in range(frames):
        last = 0.7 * last + 0.7 * rng.normal(0, 1, 3)
        out[index] = last
    return np.asarray(out * rng.uniform(0.15, 0.6))
