"""The samples of a decoded frame: read without a copy where its format allows, never written into."""

from __future__ import annotations

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from engines.errors import BadInput
from stream.frames.layout import Layout, layout_of
from stream.frames.planes import Planes

Samples = NDArray[np.uint8] | NDArray[np.uint16]

NEUTRAL = 128
"""Chroma of grey."""
RED, GREEN, BLUE = (1.164, 0.0, 1.596), (1.164, -0.392, -0.813), (1.164, 2.017, 0.0)
"""Per unit of Y, U and V (BT.601, limited range), the change of the 8-bit component."""


def layout(frame: av.VideoFrame) -> Layout:
    """Where the frame's components lie; BadInput for a pixel format that clearcall does not know."""
    found = layout_of(frame.format.name)
    if found is None:
        raise BadInput(f"clearcall does not know the pixel format {frame.format.name}")
    return found


def is_full_range(frame: av.VideoFrame) -> bool:
    """Whether luma spans 0..255 rather than 16..235 (scaled to the depth), in what `read_planes` returns."""
    found = layout(frame)
    if found.kind == "rgb":
        return False
    return int(frame.color_range) == ColorRange.JPEG or (
        found.full_range and int(frame.color_range) != ColorRange.MPEG
    )


def channels(frame: av.VideoFrame) -> list[Samples]:
    """Views of the colour components, [h, w] each, in the order of the layout; chroma at its own resolution."""
    found = layout(frame)
    dtype = np.uint8 if found.depth == 8 else np.uint16
    views: list[Samples] = []
    for index, channel in enumerate(found.channels):
        plane = frame.planes[channel.plane]
        rows = np.frombuffer(memoryview(plane), dtype).reshape(-1, plane.line_size // dtype().itemsize)
        chroma = found.kind == "yuv" and index > 0
        height = frame.format.chroma_height(frame.height) if chroma else frame.height
        width = frame.format.chroma_width(frame.width) if chroma else frame.width
        views.append(rows[:height, channel.offset :: channel.step][:, :width])
    return views


def read_planes(frame: av.VideoFrame) -> Planes:
    """8-bit 4:2:0 planes in the frame's own colour matrix and range: views where it has them, else converted.

    RGB becomes BT.601 in limited range.

    Raises:
        BadInput: The pixel format is unknown.
    """
    found = layout(frame)
    if found.kind == "gray":
        y = channels(frame)[0]
        y8 = y if found.depth == 8 else (y >> (found.depth - 8)).astype(np.uint8)
        grey = np.full(((frame.height + 1) // 2, (frame.width + 1) // 2), NEUTRAL, np.uint8)
        return Planes(y8, grey, grey)
    if found.kind == "rgb":
        frame = frame.reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.MPEG
        )
    elif frame.format.name.replace("j", "") not in {"yuv420p", "nv12", "nv21"}:
        # The same range on both sides: only depth and chroma resolution change.
        kept = ColorRange.JPEG if is_full_range(frame) else ColorRange.MPEG
        frame = frame.reformat(format="yuv420p", src_color_range=kept, dst_color_range=kept)
    y, u, v = channels(frame)
    return Planes(y, u, v)  # type: ignore[arg-type]


def copy_frame(frame: av.VideoFrame) -> av.VideoFrame:
    """A new frame with the same samples, times and colour tags.

    A decoder still reads from the frames that it has handed out, so those must never be written into.
    """
    copy = av.VideoFrame(frame.width, frame.height, frame.format.name)
    for source, target in zip(frame.planes, copy.planes, strict=True):
        size = min(source.line_size, target.line_size)
        rows = np.frombuffer(memoryview(source), np.uint8).reshape(-1, source.line_size)[: source.height, :size]
        np.frombuffer(memoryview(target), np.uint8).reshape(-1, target.line_size)[: target.height, :size] = rows
    copy.pts = frame.pts
    if frame.time_base is not None:
        copy.time_base = frame.time_base
    if frame.duration:
        copy.duration = frame.duration
    copy.color_range, copy.colorspace = frame.color_range, frame.colorspace
    copy.color_primaries, copy.color_trc = frame.color_primaries, frame.color_trc
    return copy


def add_change(frame: av.VideoFrame, x: int, y: int, change: list[NDArray[np.float32]]) -> None:
    """Add a change to a rectangle of a frame of our own, in the frame's own depth, range and colour model.

    Args:
        frame: Written into.
        x: Left edge of the rectangle, px, even.
        y: Top edge, px, even.
        change: Of Y, U and V in 8-bit limited-range units, each at full resolution [h, w], within the frame.
    """
    found, full = layout(frame), is_full_range(frame)
    height, width = change[0].shape
    top = (1 << found.depth) - 1
    for index, view in enumerate(channels(frame)):
        if found.kind == "rgb":
            weights = (RED, GREEN, BLUE)[index]
            part = sum((w * c for w, c in zip(weights, change, strict=True) if w), np.float32(0.0))
            unit = top / 255
            sx = sy = 1
        else:
            sx = -(-frame.width // view.shape[1]) if index else 1
            sy = -(-frame.height // view.shape[0]) if index else 1
            part = _reduced(change[index], sx, sy)
            unit = float(1 << (found.depth - 8)) * ((255 / 224 if index else 255 / 219) if full else 1.0)
        rows, columns = np.shape(part)
        place = view[y // sy : y // sy + rows, x // sx : x // sx + columns]
        value = (place >> found.shift).astype(np.float32) + np.float32(unit) * part
        place[:] = np.clip(np.rint(value), 0, top).astype(view.dtype) << found.shift


def _reduced(plane: NDArray[np.float32], sx: int, sy: int) -> NDArray[np.float32]:
    """Means over sy x sx samples; a rest at the far edges counts as it is."""
    if sx == sy == 1:
        return plane
    rows, columns = -(-plane.shape[0] // sy), -(-plane.shape[1] // sx)
    padded = np.pad(plane, ((0, rows * sy - plane.shape[0]), (0, columns * sx - plane.shape[1])), mode="edge")
    return np.asarray(padded.reshape(rows, sy, columns, sx).mean(axis=(1, 3)), np.float32)
