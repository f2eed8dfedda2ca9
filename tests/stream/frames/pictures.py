"""Frames of known content in any pixel format."""

from __future__ import annotations

import av
import numpy as np
from av.video.format import names  # type: ignore[attr-defined]
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from stream.frames.layout import supported

FORMATS = sorted(name for name in names if supported(name))
"""All that clearcall knows and this FFmpeg has."""


def smooth(height: int, width: int, low: float, high: float, seed: int = 0) -> NDArray[np.float64]:
    """[height, width] of slow waves in `low`..`high`: what formats of different chroma resolution agree on."""
    across, down = np.random.default_rng(seed).uniform(3, 9, 2)
    x = np.sin(np.arange(width) * across / width + seed)
    y = np.cos(np.arange(height) * down / height)
    return np.asarray(low + (high - low) * (x[None, :] * y[:, None] + 1) / 2)


def picture(name: str, width: int = 64, height: int = 48, full_range: bool = False) -> av.VideoFrame:
    """A smooth colourful frame in the pixel format `name`, away from the ends of every component."""
    frame = av.VideoFrame(width, height, "yuv444p")
    spans = ((90, 150), (110, 140), (115, 145))
    for index, (plane, span) in enumerate(zip(frame.planes, spans, strict=True)):
        rows(plane)[:height, :width] = np.rint(smooth(height, width, *span, seed=index))
    full_range = full_range or name.startswith("yuvj")
    frame.color_range = int(ColorRange.JPEG if full_range else ColorRange.MPEG)
    return frame if name == "yuv444p" else converted(frame, name)


def converted(frame: av.VideoFrame, name: str) -> av.VideoFrame:
    """FFmpeg's own conversion, the range kept."""
    kept = frame.color_range
    return frame.reformat(format=name, src_color_range=kept, dst_color_range=kept, threads=1)


def rows(plane: VideoPlane) -> NDArray[np.uint8]:
    """All bytes of a plane, writable."""
    return np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)


def contents(frame: av.VideoFrame) -> list[NDArray[np.uint8]]:
    """Copies of all samples, alpha too, as bytes [h, bytes of a line], one for each plane."""
    copies = []
    for index, plane in enumerate(frame.planes):
        parts = [c for c in frame.format.components if c.plane == index]
        packed = len(frame.planes) == 1
        bits = frame.format.padded_bits_per_pixel if packed else len(parts) * (16 if parts[0].bits > 8 else 8)
        copies.append(rows(plane)[: plane.height, : plane.width * bits // 8].copy())
    return copies


def same(one: av.VideoFrame, other: av.VideoFrame) -> bool:
    """Whether all samples of two frames of one format are equal."""
    return all(np.array_equal(a, b) for a, b in zip(contents(one), contents(other), strict=True))
