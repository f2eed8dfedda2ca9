"""Everything that is measured on one face."""

from __future__ import annotations

import math

import cv2
import numpy as np

from training.curation.areas import find_areas
from training.curation.blocks import blockiness
from training.curation.exposure import burnt, highlight
from training.curation.face import Face
from training.curation.pose import pose
from training.curation.sharpness import bands, evenness, noise_level, sharpness

VERSION = 1
"""To be raised when any measure changes: what was measured before is then measured again."""

Measures = dict[str, float]
"""Criterion (a name of the rubric) to its value."""


def measure(face: Face) -> Measures:
    """The criteria that one picture of a face shows, in their own units, rounded to four decimals."""
    luma = np.asarray(cv2.cvtColor(face.cut, cv2.COLOR_BGR2GRAY), np.float32)
    areas = find_areas(face.points, len(luma))
    noise = noise_level(luma, areas.skin)
    detail = bands(luma)
    values = {
        "size": face.size,
        "eyes": sharpness(detail, areas.eyes, noise),
        "mouth": sharpness(detail, areas.mouth, noise),
        "skin": sharpness(detail, areas.skin, noise),
        "motion": evenness(luma, face.points, noise),
        "noise": noise,
        "dark": highlight(luma, areas, noise),
        "bright": burnt(luma, areas),
        "blocks": blockiness(face.native),
        "pose": math.hypot(*pose(face.points)),
    }
    return {name: round(float(value), 4) for name, value in values.items()}
