"""Clips as planes, and their other shapes: floats, BGR, video frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from training.degrade import Planar
from training.faces import Picture

Floats = NDArray[np.float32]
RATE = Fraction(30)


def luma(clip: Planar) -> Floats:
    """Y [T,H,W] in 8-bit levels."""
    return np.asarray(clip[0][:, 0], np.float32)


def i420(clip: Planar) -> Iterator[Picture]:
    """Each frame as [H*3/2, W], Y above U above V."""
    height, width = clip[0].shape[2:]
    for y, uv in zip(*clip, strict=True):
        yield np.concatenate([y.reshape(-1), uv.reshape(-1)]).reshape(height * 3 // 2, width)


def from_i420(frames: Sequence[Picture]) -> Planar:
    """The inverse of `i420`."""
    stacked = np.stack(frames)
    height, width = stacked.shape[1] * 2 // 3, stacked.shape[2]
    return (
        np.ascontiguousarray(stacked[:, :height]).reshape(-1, 1, height, width),
        np.ascontiguousarray(stacked[:, height:]).reshape(-1, 2, height // 2, width // 2),
    )


def bgr(clip: Planar) -> list[Picture]:
    """Each frame as BGR [H,W,3], BT.601 limited range as `to_planes` has it."""
    return [np.asarray(cv2.cvtColor(frame, cv2.COLOR_YUV2BGR_I420), np.uint8) for frame in i420(clip)]


def video_frames(clip: Planar) -> Iterator[av.VideoFrame]:
    """Each frame as a decoder would hand it on, 30 a second."""
    for index, picture in enumerate(i420(clip)):
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts, frame.time_base = index, 1 / RATE
        yield frame
