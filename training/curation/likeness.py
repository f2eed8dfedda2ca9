"""Finds the same picture again, and pictures that look like one and the same person.

The face is turned upright, cut to a small square, and its lower cosine frequencies are compared after the average face
was taken away and each frequency was brought to its usual strength. This is no face recognition: it knows a person in
the same hair, light and pose, and it does not know them after years, or from the side.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.curation.face import Face

EDGE = 96
"""Of the square that the face is turned into, pixels."""

SMALL = 32
"""Of the square whose cosine transform is taken."""

ORDER = 14
"""Lowest frequencies kept, in each direction."""

LENGTH = ORDER * ORDER - 1
PRECISION = 100
"""A signature's values are kept as whole numbers of a hundredth."""

ANCHORS = (33, 133, 362, 263, 1, 168, 6)
"""Landmarks that hardly move when one talks or smiles: corners of the eyes, tip and bridge of the nose."""

_PLACES = np.array(
    ((-0.5, 0), (-0.193, 0.0155), (0.193, 0.0155), (0.5, 0), (0, 0.426), (0, -0.056), (0, 0.025)), np.float32
)
"""Where these lie in the average face, in distances between the eyes' outer corners."""
_EYES = 0.42
_HEIGHT = 0.36

Signature = NDArray[np.int32]
"""[LENGTH]"""


@dataclass(frozen=True, slots=True)
class Likeness:
    """The usual face, and from which similarity on two faces are alike."""

    mean: NDArray[np.float32]
    """[LENGTH], of signatures."""
    deviation: NDArray[np.float32]
    """[LENGTH], of signatures."""
    copy: float
    """Similarity of two versions of one picture."""
    person: float
    """Similarity of two pictures of one person."""


@functools.cache
def load_likeness() -> Likeness:
    """The calibrated values that come with clearcall."""
    text = importlib.resources.files(__package__).joinpath("likeness.json").read_text(encoding="utf-8")
    raw = json.loads(text)
    mean, deviation = (np.array(raw[name], np.float32) for name in ("mean", "deviation"))
    return Likeness(mean, deviation, float(raw["copy"]), float(raw["person"]))


def signature(face: Face) -> Signature:
    """The lower cosine frequencies of the upright face, light and contrast taken out."""
    luma = np.asarray(cv2.cvtColor(face.cut, cv2.COLOR_BGR2GRAY), np.uint8)
    places = _PLACES * (_EYES * EDGE) + np.array([EDGE / 2, EDGE * _HEIGHT], np.float32)
    matrix = _similarity(face.points[list(ANCHORS)], places)
    scale = float(np.hypot(matrix[0, 0], matrix[0, 1]))
    # A strong reduction by bilinear sampling alone would alias.
    calm = cv2.GaussianBlur(luma, (0, 0), 0.5 / scale) if scale < 0.7 else luma
    upright = cv2.warpAffine(calm, matrix, (EDGE, EDGE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    small = cv2.resize(upright, (SMALL, SMALL), interpolation=cv2.INTER_AREA).astype(np.float32)
    small = (small - small.mean()) / (small.std() + 1e-3)
    lowest = np.asarray(cv2.dct(small), np.float32)[:ORDER, :ORDER].ravel()[1:]
    return np.rint(lowest * PRECISION).astype(np.int32)


def _similarity(points: NDArray[np.float32], places: NDArray[np.float32]) -> NDArray[np.float64]:
    """[2, 3], the turn, scale and shift that take points [N, 2] nearest to places [N, 2] (least squares)."""
    centre, target = points.mean(axis=0), places.mean(axis=0)
    a, b = points - centre, places - target
    spread = max(float((a * a).sum()), 1e-6)
    along = float((a * b).sum()) / spread
    across = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / spread
    linear = np.array([[along, -across], [across, along]])
    return np.column_stack([linear, target - linear @ centre])


def mirrored(one: Signature) -> Signature:
    """The signature of the mirrored picture: waves that are odd from left to right change their sign."""
    whole = np.concatenate([[0], one]).reshape(ORDER, ORDER)
    return np.asarray((whole * np.where(np.arange(ORDER) % 2, -1, 1)).ravel()[1:], np.int32)


def unit(signatures: Sequence[Signature] | NDArray[np.int32], usual: Likeness) -> NDArray[np.float32]:
    """[N, LENGTH] signatures as unit vectors of what is particular in each face: their products are similarities."""
    rows = (np.asarray(signatures, np.float32).reshape(-1, LENGTH) - usual.mean) / usual.deviation
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), np.float32)


def similar_to(
    wanted: NDArray[np.float32], flipped: NDArray[np.float32], others: NDArray[np.float32]
) -> NDArray[np.float32]:
    """[N] similarity, -1 to 1, of one face, as it is or mirrored ([LENGTH] unit vectors), to others [N, LENGTH]."""
    return np.asarray(np.maximum(others @ wanted, others @ flipped), np.float32)
