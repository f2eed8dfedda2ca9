"""The rotated square that the mesh looks at, and the RGB image of it out of the planes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.frames.levels import BLACK, CHROMA_TO_LIMITED, LUMA_TO_LIMITED
from stream.frames.planes import Plane, Planes

SCALE = 1.5
"""The mesh was trained on squares this much larger than the face's box (MediaPipe's face_landmark_front graph)."""

RIGHT_EYE_CORNER, LEFT_EYE_CORNER = 33, 263

LIT = 110.0
"""Luma above black that the brightest twentieth of a square reaches in a picture the models can read well."""

NOISY_GAIN = 2.0
"""Beyond this gain what is lifted is mostly sensor noise, and blurring it away helps more than it hides."""

_LEVELS = np.arange(256, dtype=np.float32)


@dataclass(slots=True, frozen=True)
class Roi:
    """A square in frame pixels, turned by `angle` radians clockwise about its centre."""

    x: float
    y: float
    size: float
    angle: float

    def matrix(self, edge: int) -> NDArray[np.float64]:
        """[2, 3] affine map from the pixels of an edge × edge image of the square to frame pixels."""
        step = self.size / edge
        c, s = math.cos(self.angle) * step, math.sin(self.angle) * step
        half = edge / 2
        return np.array([[c, -s, self.x - half * (c - s)], [s, c, self.y - half * (s + c)]])


Box = tuple[float, float, float, float]
"""Left, top, right, bottom, px."""


def square(box: Box, first_eye: NDArray[np.float32], other_eye: NDArray[np.float32]) -> Roi:
    """The square round a face's box, turned so that the eyes (points [2], px) are level in it."""
    left, top, right, bottom = box
    along = other_eye - first_eye
    return Roi(
        x=(left + right) / 2,
        y=(top + bottom) / 2,
        size=max(right - left, bottom - top) * SCALE,
        angle=math.atan2(float(along[1]), float(along[0])),
    )


def box_of(landmarks: NDArray[np.float32]) -> Box:
    """The upright box round landmarks [468, 2]."""
    left, top = landmarks.min(axis=0)
    right, bottom = landmarks.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def roi_from_landmarks(landmarks: NDArray[np.float32]) -> Roi:
    """The square for the next frame from this frame's landmarks [468, 2], px."""
    return square(box_of(landmarks), landmarks[RIGHT_EYE_CORNER], landmarks[LEFT_EYE_CORNER])


def warp(plane: Plane, matrix: NDArray[np.float64], target: Plane) -> None:
    """Fill the square `target` from the plane; `matrix` [2, 3] goes from target to plane, whose border is repeated."""
    cv2.warpAffine(
        plane,
        matrix,
        target.shape[::-1],
        dst=target,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def lift(luma: Plane) -> float:
    """The gain that lights a dark luma image (16..235); 1 where it is bright enough."""
    bright = float(np.percentile(luma[::4, ::4], 95)) - BLACK
    return min(max(LIT / max(bright, 1.0), 1.0), 16.0)


class RoiImage:
    """Reads squares out of the planes as small RGB images; its buffers are used again for each."""

    def __init__(self, edge: int) -> None:
        """Prepare for images of `edge` pixels, a multiple of 4."""
        self._edge = edge
        self._i420 = np.empty((edge * 3 // 2, edge), np.uint8)
        half = edge // 2
        quarter = edge + edge // 4
        self._y = self._i420[:edge]
        self._u = self._i420[edge:quarter].reshape(half, half)
        self._v = self._i420[quarter:].reshape(half, half)
        self._rgb = np.empty((edge, edge, 3), np.uint8)

    def read(self, planes: Planes, matrix: NDArray[np.float64], full_range: bool) -> NDArray[np.uint8]:
        """RGB [edge, edge, 3], BT.601; the frame's border is repeated outside. Valid until the next call.

        A dark picture is lifted: in the dark the models lose the face long before the eye does. Chroma stays, what
        there is of it in the dark is noise.

        Args:
            planes: The frame.
            matrix: [2, 3], from the image's pixels to the frame's.
            full_range: Whether the planes use 0..255 instead of 16..235.
        """
        # Both the image's and the frame's chroma have half the step: the linear part stays, only the shift halves.
        chroma = matrix * (1.0, 1.0, 0.5)
        warp(planes.y, matrix, self._y)
        warp(planes.u, chroma, self._u)
        warp(planes.v, chroma, self._v)
        if full_range:
            cv2.LUT(self._y, LUMA_TO_LIMITED, self._y)
            cv2.LUT(self._i420[self._edge :], CHROMA_TO_LIMITED, self._i420[self._edge :])
        gain = lift(self._y)
        if gain > 1:
            cv2.LUT(self._y, np.clip((_LEVELS - BLACK) * gain + BLACK, 0, 255).astype(np.uint8), self._y)
        if gain > NOISY_GAIN:
            cv2.GaussianBlur(self._y, (0, 0), 1.0, self._y)
        cv2.cvtColor(self._i420, cv2.COLOR_YUV2RGB_I420, self._rgb)
        return self._rgb
