"""Frames turned upright for the filter and back again: a face that lies on its side is restored badly."""

from __future__ import annotations

import av
import cv2
from av.video.format import VideoFormat

from stream.files.job import FrameFilter
from stream.files.samples import rows, sample_bytes
from stream.frames.layout import chroma_steps
from stream.frames.pixels import copy_tags

ROTATE = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}


class Upright:
    """A filter that is given its frames upright; what it leaves alone stays bit for bit as it was."""

    def __init__(self, inner: FrameFilter, quarters: int) -> None:
        """Turn counterclockwise by quarter turns, 1 to 3, on the way in, and back on the way out."""
        self._inner = inner
        self._quarters = quarters

    def process(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The frame restored, or the very same frame."""
        turned = turn(frame, self._quarters)
        if turned is None:
            return self._inner.process(frame)
        restored = self._inner.process(turned)
        back = None if restored is turned else turn(restored, 4 - self._quarters)
        return frame if back is None else back

    def figures(self) -> dict[str, object]:
        """Those of the filter itself."""
        return self._inner.figures()

    def close(self) -> None:
        """Close the filter itself."""
        self._inner.close()


def turn(frame: av.VideoFrame, quarters: int) -> av.VideoFrame | None:
    """A new frame, turned counterclockwise by quarter turns, 1 to 3; None where no pixel format holds its samples."""
    name = turned_format(frame.format.name, quarters)
    if name is None:
        return None
    size = (frame.height, frame.width) if quarters % 2 else (frame.width, frame.height)
    turned = av.VideoFrame(*size, name)
    for index, (source, target) in enumerate(zip(frame.planes, turned.planes, strict=True)):
        into = rows(target, sample_bytes(turned, index))
        into[:] = cv2.rotate(rows(source, sample_bytes(frame, index)), ROTATE[quarters]).reshape(into.shape)
    copy_tags(frame, turned)
    return turned


def turned_format(name: str, quarters: int) -> str | None:
    """The pixel format that holds the same samples after the turn: 4:2:2 stood on its side is 4:4:0."""
    columns, lines = chroma_steps(name)
    if columns == lines or (quarters == 2 and VideoFormat(name).is_planar):
        return name
    swapped = name.replace("440p", "422p") if "440p" in name else name.replace("422p", "440p")
    if quarters == 2 or swapped == name:
        return None
    try:
        VideoFormat(swapped)
    except ValueError:
        return None
    return swapped
