"""How steady the light of a clip is. All in 8-bit levels of Y."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from training.degrade import Planar
from training.planar import Floats, luma

CELLS = 8
"""Cells along an edge whose means are watched for flicker."""
FLICKER_FROM = 4.0
"""Hz above which a change of brightness is flicker and not somebody who turns their head or switches on a lamp."""


def ab_var(out: Planar, clean: Planar) -> float:
    """AB(Var), squared levels: variance over time of the frames' mean brightness, output less clean (MBLLEN, 2018)."""
    means = luma(out).mean(axis=(1, 2), dtype=np.float64) - luma(clean).mean(axis=(1, 2), dtype=np.float64)
    return float(means.var())


def mabd_error(out: Planar, clean: Planar) -> float:
    """Mean squared difference, squared levels, of the clips' MABD (Jiang, Zheng 2019): the mean change of a pixel."""
    ours, theirs = (np.abs(np.diff(luma(clip), axis=0)).mean(axis=(1, 2), dtype=np.float64) for clip in (out, clean))
    return float(((ours - theirs) ** 2).mean())


def flicker_spectrum(
    out: Planar, clean: Planar | None, rate: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frequencies in Hz and the root mean square of flicker at each, in levels.

    Taken from the means of 8 x 8 cells, less the clean clip's where there is one, without each cell's mean over time;
    the squares over all frequencies sum to the variance over time (Parseval). Without a window: clips are short.
    """
    cells = _cells(luma(out))
    if clean is not None:
        cells = cells - _cells(luma(clean))
    count = len(cells)
    power = (np.abs(np.fft.rfft(cells - cells.mean(axis=0), axis=0)) ** 2).mean(axis=(1, 2)) / count**2
    # Every frequency but the first and, of an even number, the last stands for its negative, too.
    power[1 : (count + 1) // 2] *= 2
    return np.asarray(np.fft.rfftfreq(count, 1 / rate), np.float64), np.asarray(np.sqrt(power), np.float64)


def flicker(out: Planar, clean: Planar | None, rate: float) -> float | None:
    """Root mean square in levels of what the spectrum has from 4 Hz on; None for clips that are too short.

    Ours: AB(Var) and MABD do not tell a lamp that is switched on from one that flickers.

    Args:
        out: The clip.
        clean: The clean one, whose own changes of light are taken off; None counts all.
        rate: Frames a second.
    """
    frequencies, amplitudes = flicker_spectrum(out, clean, rate)
    fast = frequencies >= FLICKER_FROM
    return float(np.sqrt((amplitudes[fast] ** 2).sum())) if fast.any() else None


def _cells(frames: Floats) -> NDArray[np.float64]:
    return np.stack([cv2.resize(f, (CELLS, CELLS), interpolation=cv2.INTER_AREA) for f in frames]).astype(np.float64)
