"""How light the skin in a picture is: a rough figure, since it is the light's as much as the skin's."""

from __future__ import annotations

import math

import cv2
import numpy as np

from training.faces import Picture
from training.planar import Floats

CHEEKS = ((116, 117, 118, 101, 205, 187, 123), (345, 346, 347, 330, 425, 411, 352))
"""Outlines of skin that is seldom covered, in the numbering of MediaPipe's mesh"""
TONES = ((55.0, "very light"), (41.0, "light"), (28.0, "intermediate"), (10.0, "tan"), (-30.0, "brown"))
DARK = "dark"


def angle(lightness: float, blue_yellow: float) -> float:
    """Individual typology angle in degrees of CIE L* and b* (Chardon et al., 1991)."""
    return math.degrees(math.atan2(lightness - 50.0, blue_yellow))


def skin_tone(picture: Picture, landmarks: Floats | None) -> float | None:
    """Individual typology angle of the cheeks' median colour in a BGR picture; None without a face in it.

    Args:
        picture: [H,W,3], 8 bits, taken for sRGB.
        landmarks: [T,468,2] in px; the first frame's are looked at.
    """
    if landmarks is None:
        return None
    mask = np.zeros(picture.shape[:2], np.uint8)
    for outline in CHEEKS:
        cv2.fillPoly(mask, [np.rint(landmarks[0, list(outline)]).astype(np.int32)], 1)
    pixels = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_BGR2Lab)[mask > 0]
    if not len(pixels):
        return None
    lightness, _, blue_yellow = np.median(pixels, axis=0)
    return angle(float(lightness), float(blue_yellow))


def tone(degrees: float) -> str:
    """The group that an angle belongs to, as dermatology names them."""
    return next((name for least, name in TONES if degrees > least), DARK)
