"""The still card: what readers see while the camera opens, or while there is none."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from stream.webcam.output import Picture, Shape

BACKGROUND, INK, GREY = 40, 200, 128
MOST_LETTERS = 60


@lru_cache(maxsize=8)
def card(shape: Shape, text: str) -> Picture:
    """`clearcall` and a line below it, on dark grey; do not write into it."""
    picture = np.full((shape.height * 3 // 2, shape.width), GREY, np.uint8)
    luma = np.full((shape.height, shape.width), BACKGROUND, np.uint8)
    _centred(luma, "clearcall", shape.height / 360, 0.45)
    _centred(luma, text.encode("ascii", "replace").decode()[:MOST_LETTERS], shape.height / 900, 0.58)
    picture[: shape.height] = luma
    return picture


def _centred(luma: Picture, text: str, scale: float, height: float) -> None:
    """Write the text at that share of the height, smaller where it would not fit."""
    font = cv2.FONT_HERSHEY_SIMPLEX
    (width, _), _ = cv2.getTextSize(text, font, scale, 1)
    scale *= min(1.0, 0.9 * luma.shape[1] / max(1, width))
    (width, _), _ = cv2.getTextSize(text, font, scale, 1)
    place = (luma.shape[1] - width) // 2, int(luma.shape[0] * height)
    cv2.putText(luma, text, place, font, scale, INK, max(1, round(scale * 2)), cv2.LINE_AA)
