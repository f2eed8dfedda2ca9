"""The bytes of a frame's samples, whatever its pixel format."""

from __future__ import annotations

import av
import numpy as np
from av.video.plane import VideoPlane
from numpy.typing import NDArray

from stream.frames.pixels import plane_rows


def sample_bytes(frame: av.VideoFrame, index: int) -> int:
    """Bytes from one sample of a plane to the next, all its interleaved components together."""
    if len(frame.planes) == 1:
        return frame.format.padded_bits_per_pixel // 8
    return sum(-(-part.bits // 8) for part in frame.format.components if part.plane == index)


def rows(plane: VideoPlane, size: int) -> NDArray[np.uint8]:
    """The plane's samples, `size` bytes each, without the padding behind each row: [h, w, bytes], a view."""
    lines = plane_rows(plane)[: plane.height, : plane.width * size]
    return lines.reshape(plane.height, plane.width, size)
