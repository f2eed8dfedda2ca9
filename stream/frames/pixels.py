"""The samples of a decoded frame: read without a copy where its format allows, never written into."""

from __future__ import annotations

import av
import cv2
import numpy as np
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from engines.errors import BadInput
from stream.frames.layout import Layout, layout_of
from stream.frames.levels import GREY
from stream.frames.planes import Plane, Planes

Samples = NDArray[np.uint8] | NDArray[np.uint16]


def layout(frame: av.VideoFrame) -> Layout:
    """Where the frame's components lie; BadInput for a pixel format that clearcall does not know."""
    found = layout_of(frame.format.name)
    if found is None:
        raise BadInput(f"clearcall does not know the pixel format {frame.format.name}")
    return found


def is_full_range(frame: av.VideoFrame) -> bool:
    """Whether luma spans 0..255 rather than 16..235, in what `read_planes` returns.

    Raises:
        BadInput: The pixel format is unknown.
    """
    found = layout(frame)
    if found.kind == "rgb":
        return False
    if found.full_range:
        # Grey without a tag is full range, as FFmpeg has it; the yuvj formats are, whatever the tag says.
        return found.kind == "yuv" or int(frame.color_range) != ColorRange.MPEG
    return int(frame.color_range) == ColorRange.JPEG


def channels(frame: av.VideoFrame) -> list[Samples]:
    """Views of the colour components, [h, w] each, in the order of the layout; chroma at its own resolution.

    Raises:
        BadInput: The pixel format is unknown.
    """
    found, planes = layout(frame), frame.planes
    views: list[Samples] = []
    for index, channel in enumerate(found.channels):
        chroma = found.kind == "yuv" and index > 0
        height = frame.format.chroma_height(frame.height) if chroma else frame.height
        width = frame.format.chroma_width(frame.width) if chroma else frame.width
        rows = plane_rows(planes[channel.plane])
        samples: Samples = rows if found.depth == 8 else rows.view(np.uint16)
        views.append(samples[:height, channel.offset :: channel.step][:, :width])
    return views


def plane_rows(plane: VideoPlane) -> NDArray[np.uint8]:
    """All bytes of a plane [rows, bytes], padding too, a view; the picture's top row first, which some store last."""
    stride = plane.line_size
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, abs(stride))
    return rows if stride > 0 else rows[::-1]


def read_planes(frame: av.VideoFrame) -> Planes:
    """8-bit 4:2:0 planes in the frame's own colour matrix and range: views where it has them, else converted.

    RGB becomes BT.601 in limited range.

    Raises:
        BadInput: The pixel format is unknown.
    """
    found = layout(frame)
    # On one thread: on more, FFmpeg leaves rows of odd heights unwritten at times.
    if found.kind == "rgb":
        matrix, limited = Colorspace.ITU601, ColorRange.MPEG
        frame = frame.reformat(format="yuv420p", dst_colorspace=matrix, dst_color_range=limited, threads=1)
        found = layout(frame)
    elif found.kind == "yuv" and found.channels[1].plane == 0 and frame.height % 2 == 0:
        # Packed: taken apart once, as OpenCV would copy the views at each look. Of an odd height FFmpeg leaves the
        # last row of chroma unwritten.
        frame = frame.reformat(format="yuv420p", threads=1)
        found = layout(frame)
    bits = found.depth - 8 + found.shift
    y, *chroma = (_in_8_bits(view, bits) for view in channels(frame))
    half = (frame.height + 1) // 2, (frame.width + 1) // 2
    if not chroma:
        grey = np.full(half, GREY, np.uint8)
        return Planes(y, grey, grey)
    u, v = (_in_half(plane, half) for plane in chroma)
    return Planes(y, u, v)


def _in_8_bits(view: Samples, bits: int) -> Plane:
    return np.asarray(view if bits == 0 else cv2.convertScaleAbs(view, alpha=2.0**-bits), np.uint8)


def _in_half(plane: Plane, shape: tuple[int, int]) -> Plane:
    """Chroma at the resolution of 4:2:0; halved by means."""
    if plane.shape == shape:
        return plane
    return np.asarray(cv2.resize(plane, shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def copy_frame(frame: av.VideoFrame) -> av.VideoFrame:
    """A new frame with the same samples, times and colour tags.

    A decoder still reads from the frames that it has handed out, so those must never be written into.
    """
    copy = av.VideoFrame(frame.width, frame.height, frame.format.name)
    for source, target in zip(frame.planes, copy.planes, strict=True):
        size = min(abs(source.line_size), target.line_size)
        plane_rows(target)[: target.height, :size] = plane_rows(source)[: source.height, :size]
    copy_tags(frame, copy)
    return copy


def copy_tags(source: av.VideoFrame, target: av.VideoFrame) -> None:
    """Give one frame the times and colour tags of another."""
    target.pts, target.duration = source.pts, source.duration
    if source.time_base is not None:
        target.time_base = source.time_base
    target.color_range, target.colorspace = source.color_range, source.colorspace
    target.color_primaries, target.color_trc = source.color_primaries, source.color_trc
