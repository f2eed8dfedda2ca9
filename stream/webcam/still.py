"""A still picture as a camera, for trying it out: it sways, so that a face in it moves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from stream.webcam.errors import SourceLost
from stream.webcam.modes import Mode

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
PERIODS_S = 4.0, 6.0
"""Of the way to the right and back, and of the way down and back."""
REACH = 0.04, 0.03
"""How far it goes each way, as shares of the frame's width and height."""
ROOM = 1 - 2 * max(REACH)
"""Share of the frame that the picture fills, so that it never leaves it."""
GREY = 96, 96, 96


def is_still(path: str) -> bool:
    """Whether a file is a picture, by its name."""
    return Path(path).suffix.lower() in SUFFIXES


def offset(seconds: float, mode: Mode) -> tuple[float, float]:
    """How many pixels the picture is right of and below the middle."""
    right, down = (math.sin(2 * math.pi * seconds / period) for period in PERIODS_S)
    return right * REACH[0] * mode.width, down * REACH[1] * mode.height


def frames(path: str, mode: Mode) -> Iterator[av.VideoFrame]:
    """I420 frames of that mode's size without end, each with its own time; the whole picture is in each.

    Raises:
        SourceLost: It is no picture that OpenCV reads.
    """
    # Not imread: that writes to standard error by itself, and cannot open every name on Windows.
    try:
        data = np.frombuffer(Path(path).read_bytes(), np.uint8)
    except OSError as error:
        raise SourceLost(f"{path} cannot be opened: {error.strerror}") from None
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if picture is None:
        raise SourceLost(f"{path} cannot be opened: it is no picture")
    return _swaying(np.asarray(picture, np.uint8), mode)


def _swaying(picture: NDArray[np.uint8], mode: Mode) -> Iterator[av.VideoFrame]:
    height, width = picture.shape[:2]
    scale = ROOM * min(mode.width / width, mode.height / height)
    picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    left, top = (mode.width - picture.shape[1]) / 2, (mode.height - picture.shape[0]) / 2
    number = 0
    while True:
        right, down = offset(float(number / mode.rate), mode)
        move = np.array([[1, 0, left + right], [0, 1, top + down]], np.float64)
        colours = cv2.warpAffine(picture, move, (mode.width, mode.height), borderValue=GREY)
        planes = np.asarray(cv2.cvtColor(colours, cv2.COLOR_BGR2YUV_I420), np.uint8)
        frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
        frame.pts, frame.time_base = number, Fraction(1 / mode.rate)
        yield frame
        number += 1
