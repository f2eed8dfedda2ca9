"""A frame with other planes: what was done to 8-bit planes, done to a copy of a frame of any format."""

from __future__ import annotations

import av
import cv2
import numpy as np

from stream.frames.paste import add_change, in_rgb, scaled
from stream.frames.pixels import channels, copy_frame, is_full_range, layout
from stream.frames.planes import Planes


def replaced(frame: av.VideoFrame, before: Planes, after: Planes) -> av.VideoFrame:
    """A copy of the frame whose planes are changed as `before` was to `after`.

    Args:
        frame: Only read.
        before: Its 8-bit planes.
        after: What became of them.

    Raises:
        BadInput: The frame's pixel format is unknown.
    """
    found, full_range = layout(frame), is_full_range(frame)
    out = copy_frame(frame)
    views, news, olds = channels(out), (after.y, after.u, after.v), (before.y, before.u, before.v)
    if found.kind == "yuv" and found.depth == 8 and all(a.shape == b.shape for a, b in zip(views, news, strict=True)):
        for view, new in zip(views, news, strict=True):
            np.copyto(view, new)
        return out
    # To the other formats the change is added, so that they keep their depth.
    top = (1 << found.depth) - 1
    unit = np.float32(top / 255 if full_range or found.kind == "rgb" else 1 << (found.depth - 8))
    changes = [
        np.asarray(cv2.subtract(new, old, dtype=cv2.CV_32F), np.float32) * unit
        for new, old in zip(news, olds, strict=True)
    ][: len(views)]
    if found.kind == "rgb":
        changes = in_rgb(changes)
    for view, change in zip(views, changes, strict=True):
        add_change(view, 0, 0, scaled(change, view.shape[1], view.shape[0]), found)
    return out
