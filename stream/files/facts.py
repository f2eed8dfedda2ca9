"""The input file opened and checked, and what the output must keep of it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.sidedata.sidedata import SideData
from av.stream import Disposition
from av.video.stream import VideoStream

from engines.errors import BadInput
from stream.files.choice import Picture, plain_format
from stream.files.display import Display, read_display

OPTIONS = {"protocol_whitelist": "file"}
"""A playlist named like a video must not make us fetch what it points to."""

NOT_VIDEOS = {"tty"}
"""Formats that make a moving picture of any text."""

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
"""How an address begins, also once it went through a Path; a Windows drive has one letter."""

UNSPECIFIED = 2
"""What colour primaries, transfer and matrix say where nothing is known; the range says 0."""


@dataclass(slots=True, frozen=True)
class Facts:
    """What the output must keep, read off the first frame."""

    picture: Picture
    time_base: Fraction
    frames: int | None
    """Number of frames, as far as the file says or its duration lets guess."""
    color_range: int
    color_primaries: int
    color_trc: int
    colorspace: int
    """Colour tags, FFmpeg's numbers."""
    sample_aspect_ratio: Fraction | None
    display_matrix: tuple[int, ...] | None
    """Nine numbers that turn or mirror the picture for display."""
    field_order: int

    @property
    def display(self) -> Display:
        """How players turn the picture."""
        return read_display(self.display_matrix)


def check_readable(path: Path) -> None:
    """Refuse what is no file that can be read.

    Raises:
        BadInput: It is missing, a folder, a pipe or a device, or may not be read.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        why = "addresses are not taken, only files" if ADDRESS.match(str(path)) else error.strerror
        raise BadInput(f"cannot read {path}: {why}") from error
    if not stat.S_ISREG(mode):
        raise BadInput(f"cannot read {path}: {'it is a folder' if stat.S_ISDIR(mode) else 'not a file'}")
    if not os.access(path, os.R_OK):
        raise BadInput(f"cannot read {path}: permission denied")


def open_video(path: Path) -> InputContainer:
    """Open the file; BadInput if it is no video."""
    try:
        # An absolute path: FFmpeg reads what comes before a colon as the name of a protocol.
        container = av.open(os.path.abspath(path), "r", options=dict(OPTIONS), metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        raise BadInput(f"{path} is not a video, or damaged at its beginning") from error
    if container.format.name in NOT_VIDEOS:
        container.close()
        raise BadInput(f"{path} is not a video")
    return container


def main_video(path: Path, container: InputContainer) -> VideoStream:
    """The video to filter: the best one that is no cover; BadInput if there is none or no decoder for it."""
    videos = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not videos:
        kind = "holds sound but no video" if container.streams.audio else "holds no video"
        raise BadInput(f"{path} {kind}")
    best = container.streams.best("video")
    video = next((stream for stream in videos if best is not None and stream.index == best.index), videos[0])
    if video.codec_context is None:
        raise BadInput(f"{path}: no decoder here for its video")
    return video


def read_facts(path: Path, container: InputContainer) -> Facts:
    """Decode up to the first frame and read off what must be kept; BadInput if there is no such frame."""
    video = main_video(path, container)
    frame = _first_frame(container, video)
    if frame is None or video.time_base is None:
        raise BadInput(f"{path} holds no frame that can be decoded")
    rate = video.average_rate or video.guessed_rate or Fraction(25)
    context = video.codec_context
    picture = Picture(context.name, plain_format(frame.format.name), frame.width, frame.height, rate)
    full = frame.format.name != picture.pix_fmt
    matrix = cast(Mapping[str, SideData], frame.side_data).get("DISPLAYMATRIX")
    return Facts(
        picture=picture,
        time_base=video.time_base,
        frames=_frame_count(container, video, rate),
        color_range=2 if full else frame.color_range or context.color_range,
        color_primaries=_tag(frame.color_primaries, context.color_primaries),
        color_trc=_tag(frame.color_trc, context.color_trc),
        colorspace=_tag(frame.colorspace, context.colorspace),
        sample_aspect_ratio=video.sample_aspect_ratio or None,
        display_matrix=tuple(np.frombuffer(bytes(matrix), np.int32).tolist()) if matrix else None,
        field_order=context.field_order,
    )


def _tag(of_frame: int, of_stream: int) -> int:
    return of_stream if of_frame == UNSPECIFIED else of_frame


def _first_frame(container: InputContainer, video: VideoStream) -> av.VideoFrame | None:
    try:
        for packet in container.demux(video):
            try:
                frames = video.codec_context.decode(packet)
            except av.FFmpegError:
                continue
            if frames:
                return frames[0]
    except (av.FFmpegError, OSError):
        return None
    return None


def _frame_count(container: InputContainer, video: VideoStream, rate: Fraction) -> int | None:
    if video.frames:
        return video.frames
    if video.duration and video.time_base:
        return round(video.duration * video.time_base * rate) or None
    return round(Fraction(container.duration, av.time_base) * rate) or None if container.duration else None
