"""How steep a clip's edges are, against the clean one's, or where there is none against what came in."""

from __future__ import annotations

import cv2
import numpy as np

from training.degrade import Planar
from training.measures import Mask
from training.planar import Floats, luma


def gradient_energy_ratio(out: Planar, other: Planar, mask: Mask | None = None) -> float | None:
    """Mean squared Sobel gradient of Y over that of another clip (Tenengrad); None where that is flat.

    With a mask, of what it covers.

    Noise counts as sharpness here: where there is a clean clip, `training/measures.py` has a better figure.
    """
    ours, theirs = (np.stack([_energy(frame) for frame in luma(clip)]) for clip in (out, other))
    if mask is not None:
        ours, theirs = ours[mask], theirs[mask]
    there = float(theirs.sum(dtype=np.float64))
    return float(ours.sum(dtype=np.float64)) / there if there > 0 else None


def _energy(frame: Floats) -> Floats:
    across, down = cv2.Sobel(frame, cv2.CV_32F, 1, 0), cv2.Sobel(frame, cv2.CV_32F, 0, 1)
    return np.asarray(across * across + down * down, np.float32)
