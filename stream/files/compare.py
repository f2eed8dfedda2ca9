"""Before and after, side by side in one frame."""

from __future__ import annotations

import av
import numpy as np
from av.video.plane import VideoPlane
from numpy.typing import NDArray

from stream.files.choice import chroma_steps


def doubled_width(width: int, pix_fmt: str) -> int:
    """Width of the side-by-side picture: each half is filled up to whole chroma samples, so 4:2:0 makes 321 a 644."""
    step = chroma_steps(pix_fmt)[0]
    return 2 * step * -(-width // step)


def side_by_side(before: av.VideoFrame, after: av.VideoFrame) -> av.VideoFrame:
    """A new frame with `before` on the left and `after` on the right; times and colour tags are those of `after`.

    Args:
        before: A frame in any planar or interleaved format with whole bytes per sample, [H, W].
        after: A frame of the same size and format.

    Returns:
        [H, doubled_width(W)]; where W is no multiple of the chroma step, the last column of each half is repeated.
    """
    name = after.format.name
    both = av.VideoFrame(doubled_width(after.width, name), after.height, name)
    for index, target in enumerate(both.planes):
        size = _sample_bytes(both, index)
        row = _rows(target, size)
        half = row.shape[1] // 2
        for source, view in ((before, row[:, :half]), (after, row[:, half:])):
            plane = _rows(source.planes[index], size)
            width = plane.shape[1]
            view[:, :width] = plane
            view[:, width:] = plane[:, -1:]
    both.pts, both.duration = after.pts, after.duration
    if after.time_base is not None:
        both.time_base = after.time_base
    both.color_range, both.colorspace = after.color_range, after.colorspace
    both.color_primaries, both.color_trc = after.color_primaries, after.color_trc
    return both


def _sample_bytes(frame: av.VideoFrame, index: int) -> int:
    """Bytes from one sample of the plane to the next, all its interleaved components together."""
    if len(frame.planes) == 1:
        return frame.format.padded_bits_per_pixel // 8
    return sum(-(-part.bits // 8) for part in frame.format.components if part.plane == index)


def _rows(plane: VideoPlane, size: int) -> NDArray[np.uint8]:
    """The plane's samples without the padding behind each row: [h, w, bytes], a view."""
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height]
    return rows[:, : plane.width * size].reshape(plane.height, plane.width, size)
