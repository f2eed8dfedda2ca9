"""Before and after, side by side in one frame."""

from __future__ import annotations

import av

from stream.files.display import RIGHT
from stream.files.samples import rows, sample_bytes
from stream.frames.layout import chroma_steps
from stream.frames.pixels import copy_tags


def doubled(width: int, height: int, pix_fmt: str, right: tuple[int, int] = RIGHT) -> tuple[int, int]:
    """Size of the side-by-side picture: each half is filled up to whole chroma samples, so 4:2:0 makes 321 a 644."""
    columns, lines = chroma_steps(pix_fmt)
    if right[0]:
        return 2 * columns * -(-width // columns), height
    return width, 2 * lines * -(-height // lines)


def side_by_side(before: av.VideoFrame, after: av.VideoFrame, right: tuple[int, int] = RIGHT) -> av.VideoFrame:
    """A new frame with `before` on the left and `after` on the right; times and colour tags are those of `after`.

    Args:
        before: A frame in any planar or interleaved format with whole bytes per sample, [H, W].
        after: A frame of the same size and format.
        right: The direction (x, y) in the frame that players show to the right: along y, the two are stored one
            above the other.

    Returns:
        A frame of the size `doubled` says; where an edge is no multiple of the chroma step, the last column or row of
        each half is repeated.
    """
    name = after.format.name
    both = av.VideoFrame(*doubled(after.width, after.height, name, right), name)
    pair = (before, after) if sum(right) > 0 else (after, before)
    for index, target in enumerate(both.planes):
        size = sample_bytes(both, index)
        whole = rows(target, size)
        whole = whole if right[0] else whole.swapaxes(0, 1)
        half = whole.shape[1] // 2
        for source, view in zip(pair, (whole[:, :half], whole[:, half:]), strict=True):
            plane = rows(source.planes[index], size)
            plane = plane if right[0] else plane.swapaxes(0, 1)
            width = plane.shape[1]
            view[:, :width] = plane
            view[:, width:] = plane[:, -1:]
    copy_tags(after, both)
    return both
