"""Whether a face has light enough and not too much, whatever the colour of its skin."""

from __future__ import annotations

import cv2
import numpy as np

from training.curation.areas import Areas
from training.curation.sharpness import FEWEST, Luma

WHITE = 250.0
"""Luma from which a pixel is taken for burnt out."""

BRIGHTEST = 99
"""Percentile of the skin that counts as its highlights."""


def highlight(luma: Luma, areas: Areas) -> float:
    """Luma of the brightest spots of eyes and skin, 0..255.

    Not the skin's own luma: in one and the same studio light that runs from 59 to over 170, and a limit on it would
    throw out dark-skinned people. The whites of the eyes and the light mirrored in them are as bright for everyone.
    """
    # Averaged over 3 x 3, so that a noisy pixel is no highlight.
    steady = cv2.blur(luma, (3, 3))
    eyes = float(steady[areas.eyes].max()) if areas.eyes.any() else 0.0
    # The bare skin and not all inside the outline: at its rim the background shows, bright behind a dark face.
    enough = np.count_nonzero(areas.skin) >= FEWEST
    return max(eyes, float(np.percentile(steady[areas.skin], BRIGHTEST)) if enough else 0.0)


def burnt(luma: Luma, areas: Areas) -> float:
    """Share of the skin that is white, 0..1."""
    if np.count_nonzero(areas.skin) < FEWEST:
        return 0.0
    return float((luma[areas.skin] >= WHITE).mean())
