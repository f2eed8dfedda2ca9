"""What the picture itself says to the generator's estimate of haze.

In haze no place is dark (the dark channel prior: He, Sun & Tang, Single Image Haze Removal, 2009). So an estimate that
a dark place contradicts counts for less, and haze that lies over all of a face and its hair counts even where the
estimate missed it. The like for darkness, in which no place is light, was tried and harmed: dusk has light places.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.prompt import HAZE, Weights
from stream.tone.estimate import cells_of

DARKEST = 1.0
"""Percentile of the crop's cells that stands for the darkest place."""
DOUBTFUL, LIKELY = 55.0, 80.0
"""Levels of the darkest place up to which there is hardly haze, and from which on there may well be: of 107 portraits
for training a tenth lies above 77, and of the same under haze of .4 two in a hundred lie below 69."""
AGAINST = 0.4
"""Share of an estimate that is left where a dark place contradicts it."""
SEEN, CERTAIN = 90.0, 105.0
"""Levels from which on there is haze, whatever the estimate: of the portraits two in a hundred lie above 93."""
THERE = 0.35
"""Estimate of what is there for certain: `auto` takes all of it for true."""


def weighed(estimate: Weights, luma: NDArray[np.uint8], known: tuple[str, ...]) -> Weights:
    """The generator's estimate [P] of a crop, in the light of its luma [G, G] (limited range)."""
    if HAZE not in known:
        return estimate
    place, darkest = known.index(HAZE), float(np.percentile(cells_of(luma), DARKEST))
    out = estimate.copy()
    out[place] *= AGAINST + (1 - AGAINST) * _way(darkest, DOUBTFUL, LIKELY)
    out[place] = max(out[place], THERE * _way(darkest, SEEN, CERTAIN))
    return out


def _way(value: float, start: float, end: float) -> float:
    """How far it is from start to end, 0..1."""
    return min(1.0, max(0.0, (value - start) / (end - start)))
