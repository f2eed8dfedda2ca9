"""How far the light of a clip is off, and what else is wrong with the face once that is set right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.degrade import Planar
from training.measures import Mask, psnr_within
from training.planar import luma


def exposure_error(out: Planar, clean: Planar, mask: Mask | None = None) -> float | None:
    """Mean over frames of the distance between the frames' mean Y, 8-bit levels; None where the mask is empty.

    Frame by frame: what is too dark in one half of a clip and too light in the other is wrong in both.
    """
    pairs = zip(luma(out), luma(clean), mask if mask is not None else [None] * len(out[0]), strict=True)
    means = [
        abs(float(np.mean(ours[where], dtype=np.float64)) - float(np.mean(theirs[where], dtype=np.float64)))
        for ours, theirs, chosen in pairs
        if (where := np.ones(ours.shape, bool) if chosen is None else chosen).any()
    ]
    return float(np.mean(means)) if means else None


def exposure_free_within(out: Planar, clean: Planar, mask: Mask) -> float | None:
    """`exposure_free_psnr` in dB of what the mask covers; None where it is empty.

    The maps are those of the whole clip: a face that is too dark for its picture is not set right by one of its own.
    """
    y, uv = (plane.astype(np.float64) for plane in out)
    fitted_y = _fitted(y, clean[0])
    fitted_uv = np.stack([_fitted(uv[:, c], clean[1][:, c]) for c in (0, 1)], axis=1)
    return psnr_within((fitted_y, fitted_uv), clean, mask)  # type: ignore[arg-type]


def _fitted(ours: NDArray[np.float64], theirs: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Under the line that brings it nearest to the clean one."""
    centred, spread = ours - ours.mean(), float(ours.var())
    slope = float((centred * (theirs - theirs.mean())).mean()) / spread if spread > 0 else 0.0
    return np.asarray(slope * centred + theirs.mean(), np.float64)
