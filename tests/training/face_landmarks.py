"""A face of 468 landmarks without a face: a canonical layout of the outlines that the movements use."""

from __future__ import annotations

import numpy as np

from stream.face.regions import FACE_OVAL
from training.expression import (
    _BROWS,
    _INNER_LOWER_LIP,
    _INNER_UPPER_LIP,
    _LOWER_LIDS,
    _UPPER_LIDS,
)


def canonical(centre: tuple[float, float] = (128.0, 110.0), unit: float = 80.0) -> np.ndarray:
    """[468, 2]; `unit` is the distance of the outer eye corners in pixels, `centre` the point between them."""
    points = np.random.default_rng(1).uniform(-0.4, 0.4, (468, 2)) + (0, 0.4)
    turn = np.linspace(0, 2 * np.pi, len(FACE_OVAL), endpoint=False)
    points[list(FACE_OVAL)] = np.stack([0.75 * np.sin(turn), 0.3 - 1.0 * np.cos(turn)], axis=1)
    for lids, bow in ((_UPPER_LIDS, -0.07), (_LOWER_LIDS, 0.05)):
        for lid, start in zip(lids, (-0.5, 0.2), strict=True):
            along = np.linspace(0, 1, len(lid))
            points[list(lid)] = np.stack([start + 0.3 * along, bow * np.sin(np.pi * along)], axis=1)
    for lip, bow in ((_INNER_UPPER_LIP, -0.002), (_INNER_LOWER_LIP, 0.002)):
        along = np.linspace(0, 1, len(lip))
        points[list(lip)] = np.stack([-0.25 + 0.5 * along, 0.75 + bow * np.sin(np.pi * along)], axis=1)
    points[list(_BROWS)] = [(-0.35, -0.22), (-0.25, -0.24), (0.25, -0.24), (0.35, -0.22)]
    points[[4, 152, 17]] = [(0, 0.4), (0, 1.3), (0, 0.85)]
    return (points * unit + centre).astype(np.float32)
