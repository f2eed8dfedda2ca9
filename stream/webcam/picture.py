"""A camera's frame as the virtual camera sends it: I420, BT.601 in limited range, one size, mirrored if asked for."""

from __future__ import annotations

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from stream.frames.pixels import channels, is_full_range
from stream.webcam.output import Picture, Shape

BT601 = {2, 5, 6}
"""H.273 numbers of colour matrices that are BT.601, and 2 where the source does not say, as cameras do."""
BLACK, GREY = 16, 128


def fitted(width: int, height: int, shape: Shape) -> tuple[int, int]:
    """The largest even size within `shape` that keeps the proportions of `width` by `height` pixels."""
    scale = min(shape.width / width, shape.height / height)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def planes(picture: Picture) -> tuple[Picture, Picture, Picture]:
    """Views of Y [h, w], U and V [h/2, w/2]."""
    height, width = picture.shape[0] * 2 // 3, picture.shape[1]
    chroma = picture[height:].reshape(2, height // 2, width // 2)
    return picture[:height], chroma[0], chroma[1]


def render(frame: av.VideoFrame, shape: Shape, mirror: bool = False) -> Picture:
    """The frame as a picture of that shape, with black bars where its proportions differ.

    Raises:
        BadInput: The pixel format is unknown.
    """
    size = fitted(frame.width, frame.height, shape)
    if not _fits(frame, size):
        frame = frame.reformat(
            *size, format="yuv420p", dst_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.MPEG, threads=1
        )
    picture = np.empty((shape.height * 3 // 2, shape.width), np.uint8)
    if size != (shape.width, shape.height):
        picture[: shape.height] = BLACK
        picture[shape.height :] = GREY
    for source, target in zip(channels(frame), planes(picture), strict=True):
        top = (target.shape[0] - source.shape[0]) // 2
        left = (target.shape[1] - source.shape[1]) // 2
        inner = target[top : top + source.shape[0], left : left + source.shape[1]]
        inner[:] = cv2.flip(source, 1) if mirror else source
    return picture


def _fits(frame: av.VideoFrame, size: tuple[int, int]) -> bool:
    if frame.format.name != "yuv420p" or (frame.width, frame.height) != size:
        return False
    return not is_full_range(frame) and int(frame.colorspace) in BT601
