"""Known damage for the calibration: what each does to a picture, and which criterion has to notice it."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from training.degrade import GAMMA, compress, to_planes
from training.faces import Picture

Apply = Callable[[Picture, np.random.Generator], Picture]
FOCUS = ("eyes", "mouth", "skin")


@dataclass(frozen=True, slots=True)
class Damage:
    """One way to spoil a picture."""

    name: str
    apply: Apply
    bad: tuple[str, ...]
    """Criteria that have to reject the result."""
    harmless: tuple[str, ...] = ()
    """Criteria that must not mind; of all others nothing is claimed."""


def blurred(picture: Picture, rng: np.random.Generator, deviation: float) -> Picture:
    """Out of focus."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), deviation), np.uint8)


def enlarged(picture: Picture, rng: np.random.Generator, factor: float) -> Picture:
    """Scaled down and up again."""
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (round(width / factor), round(height / factor)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def smeared(picture: Picture, rng: np.random.Generator, length: float) -> Picture:
    """Moved along a line of so many pixels, in any direction, while the shutter was open."""
    half = math.ceil(length / 2) + 1
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    angle = float(rng.uniform(0, math.pi))
    for step in np.linspace(-length / 2, length / 2, 121):
        kernel[round(half + float(step) * math.sin(angle)), round(half + float(step) * math.cos(angle))] += 1
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT), np.uint8)


def exposed(picture: Picture, rng: np.random.Generator, stops: float) -> Picture:
    """Darker or brighter by so many stops, in linear light."""
    table = 255 * np.minimum((np.arange(256) / 255) ** GAMMA * 2.0**stops, 1) ** (1 / GAMMA)
    return np.asarray(cv2.LUT(picture, np.rint(table).astype(np.uint8)), np.uint8)


def noised(picture: Picture, rng: np.random.Generator, deviation: float) -> Picture:
    """Grey noise and half as much in each colour."""
    grey = rng.normal(0, deviation, (*picture.shape[:2], 1))
    colour = rng.normal(0, deviation / 2, picture.shape)
    return np.clip(np.rint(picture + grey + colour), 0, 255).astype(np.uint8)


def as_jpeg(picture: Picture, rng: np.random.Generator, quality: float) -> Picture:
    """JPEG of a low quality."""
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def as_h264(picture: Picture, rng: np.random.Generator, crf: float) -> Picture:
    """The second frame of a still H.264 call at a constant rate factor."""
    height, width = (edge // 2 * 2 for edge in picture.shape[:2])
    y, uv = compress(*to_planes([picture[:height, :width]] * 2), crf)
    planes = np.concatenate([y[1].reshape(-1), uv[1].reshape(-1)]).reshape(height * 3 // 2, width)
    return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420), np.uint8)


def _each(
    name: str, function: Callable[..., Picture], values: tuple[float, ...], *claims: tuple[str, ...]
) -> list[Damage]:
    return [Damage(f"{name} {value:g}", functools.partial(_call, function, value), *claims) for value in values]


def _call(function: Callable[..., Picture], value: float, picture: Picture, rng: np.random.Generator) -> Picture:
    return function(picture, rng, value)


DAMAGES = (
    *_each("blur, sigma", blurred, (1.0, 1.5, 2.5), FOCUS, ("motion", "noise", "blocks")),
    *_each("enlarged", enlarged, (2.0, 3.0), FOCUS, ("motion", "noise")),
    *_each("motion, pixels", smeared, (7.0, 11.0, 15.0), ("motion",), ("noise", "blocks")),
    *_each("noise, sigma", noised, (6.0, 12.0), ("noise",), ("dark",)),
    *_each("stops", exposed, (-2.0, -3.0), ("dark",), (*FOCUS, "motion", "noise")),
    *_each("stops", exposed, (2.0,), ("bright",)),
    *_each("JPEG", as_jpeg, (8, 15), ("blocks",), ("dark", "noise")),
    *_each("H.264 CRF", as_h264, (36, 42), ("blocks",), ("dark", "noise")),
)
