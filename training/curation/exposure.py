"""Whether a face has light enough and not too much, whatever the colour of its skin."""

from __future__ import annotations

import numpy as np

from training.curation.areas import Areas
from training.curation.sharpness import FEWEST, Luma

WHITE = 250.0
"""Luma from which a pixel is taken for burnt out."""

BRIGHTEST = 99
"""Percentile of the skin that counts as its highlights."""

OUTLIER = 4.0
"""Deviations of the noise that the brightest of a few hundred pixels may gain by it."""


def highlight(luma: Luma, areas: Areas, noise: float) -> float:
    """Luma of the brightest spot of the eyes, or of the skin's highlights, 0..255; `noise` is its deviation.

    Not the skin's own luma: in one and the same studio light that runs from 59 to over 170, and a limit on it would
    throw out dark-skinned people. The whites of the eyes and the light mirrored in them are as bright for everyone.
    That light may be a single pixel, so nothing is averaged, and what noise can add to one is taken off instead.
    """
    eyes = float(luma[areas.eyes].max()) - OUTLIER * noise if areas.eyes.any() else 0.0
    # The bare skin and not all inside the outline: at its rim the background shows, bright behind a dark face.
    enough = np.count_nonzero(areas.skin) >= FEWEST
    return max(eyes, float(np.percentile(luma[areas.skin], BRIGHTEST)) if enough else 0.0)


def burnt(luma: Luma, areas: Areas) -> float:
    """Share of the skin that is white, 0..1."""
    if np.count_nonzero(areas.skin) < FEWEST:
        return 0.0
    return float((luma[areas.skin] >= WHITE).mean())
