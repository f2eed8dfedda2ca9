"""One-euro filter for landmarks.

Casiez, Roussel, Vogel, "1 € Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive Systems",
CHI 2012: a low-pass filter whose cutoff rises with speed: a still face stands still and a quick one does not lag.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_Cutoff = TypeVar("_Cutoff", float, NDArray[np.float32])

LONGEST_GAP = 1.0
"""Seconds without a frame after which the past says nothing about the present."""


@dataclass(slots=True, frozen=True)
class OneEuro:
    """The filter's settings; speeds are in face sizes a second, so that they hold at any resolution.

    On the call recording these halve the jitter (the landmarks' second difference) for .4 px of lag.
    """

    still_cutoff: float = 1.0
    """Hz, at rest."""
    slope: float = 40.0
    """Hz by which the cutoff rises for each face size a second."""
    speed_cutoff: float = 4.0
    """Hz, of the speed's own low-pass."""


@dataclass(slots=True)
class Smoothed:
    """What the filter remembers of one track."""

    timestamp: float
    points: NDArray[np.float32]
    """[N, 2] filtered, px."""
    speed: NDArray[np.float32]
    """[N, 2] filtered, px/s."""


def smooth(
    past: Smoothed | None, points: NDArray[np.float32], size: float, timestamp: float, settings: OneEuro
) -> Smoothed:
    """One step of the filter.

    Args:
        past: What the last step returned; None at the start of a track.
        points: [N, 2], px.
        size: Of the face, px.
        timestamp: Seconds; a step backwards or a long gap starts afresh.
        settings: The filter's settings.

    Returns:
        The filtered points and what the next step needs.
    """
    if past is None or not 0 <= timestamp - past.timestamp <= LONGEST_GAP:
        return Smoothed(timestamp, points, np.zeros_like(points))
    # Two frames of one time stamp are still two frames.
    interval = max(timestamp - past.timestamp, 1e-3)
    steady = np.float32(_weight(settings.speed_cutoff, interval))
    speed = past.speed + steady * ((points - past.points) / np.float32(interval) - past.speed)
    pace = np.sqrt((speed * speed).sum(axis=1, keepdims=True)) / np.float32(max(size, 1.0))
    weight = _weight(settings.still_cutoff + settings.slope * pace, interval)
    return Smoothed(timestamp, past.points + weight * (points - past.points), speed)


def _weight(cutoff: _Cutoff, interval: float) -> _Cutoff:
    """Share of the new value in a first-order low-pass."""
    turn = 2 * math.pi * interval * cutoff
    return turn / (turn + 1)
