"""The bytes of a frame's samples, whatever its pixel format, and the tags that a new frame takes over."""

from __future__ import annotations

import av
import numpy as np
from av.video.plane import VideoPlane
from numpy.typing import NDArray


def sample_bytes(frame: av.VideoFrame, index: int) -> int:
    """Bytes from one sample of a plane to the next, all its interleaved components together."""
    if len(frame.planes) == 1:
        return frame.format.padded_bits_per_pixel // 8
    return sum(-(-part.bits // 8) for part in frame.format.components if part.plane == index)


def rows(plane: VideoPlane, size: int) -> NDArray[np.uint8]:
    """The plane's samples, `size` bytes each, without the padding behind each row: [h, w, bytes], a view."""
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height]
    return lines[:, : plane.width * size].reshape(plane.height, plane.width, size)


def copy_tags(source: av.VideoFrame, target: av.VideoFrame) -> None:
    """Give one frame the times and colour tags of another."""
    target.pts, target.duration = source.pts, source.duration
    if source.time_base is not None:
        target.time_base = source.time_base
    target.color_range, target.colorspace = source.color_range, source.colorspace
    target.color_primaries, target.color_trc = source.color_primaries, source.color_trc
