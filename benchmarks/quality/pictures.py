"""Clips as planes, and their other shapes: BGR, video frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import av
import numpy as np

from training.degrade import Planar
from training.faces import Picture
from training.planar import bgr_frame

RATE = Fraction(30)


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
    """Each frame as BGR [H,W,3]."""
    return [bgr_frame(clip, index) for index in range(len(clip[0]))]


def video_frames(clip: Planar) -> Iterator[av.VideoFrame]:
    """Each frame as a decoder would hand it on, 30 a second."""
    for index, picture in enumerate(i420(clip)):
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts, frame.time_base = index, 1 / RATE
        yield frame
