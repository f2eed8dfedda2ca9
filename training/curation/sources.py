"""The photos and videos of a folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

from engines.errors import BadInput
from stream.files.facts import check_readable, main_video, open_video
from training.faces import CLIPS, SMALLEST, STILLS, Picture

PHOTOS = STILLS
VIDEOS = CLIPS | {".avi", ".m4v"}

MOST_BYTES = 512 << 20
"""Size of a photo's file from which on it is none."""

MOST_PIXELS = 200_000_000
"""A photo larger than this is not decoded: it would take gigabytes."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of the folder."""

    path: Path
    name: str
    """Path within the folder, with slashes."""
    video: bool
    size: int
    """Bytes"""
    changed: int
    """Time of the last change, nanoseconds"""


def list_sources(folder: Path, out: Path) -> list[SourceFile]:
    """All photos and videos of a folder and the folders in it, but for `out`, in the order of their names.

    Raises:
        BadInput: It is no folder, or there is none in it.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder}: not a folder")
    found: list[SourceFile] = []
    own = out.resolve()
    for place, folders, names in os.walk(folder):
        # What an earlier run kept is no new material.
        folders[:] = [f for f in folders if not f.startswith(".") and (Path(place) / f).resolve() != own]
        for name in names:
            path = Path(place) / name
            suffix = path.suffix.lower()
            if suffix in PHOTOS | VIDEOS and not name.startswith("."):
                found.append(_source(path, folder, suffix in VIDEOS))
    if not found:
        raise BadInput(f"{folder}: no photos or videos in it")
    return sorted(found, key=lambda source: source.name)


def _source(path: Path, folder: Path, video: bool) -> SourceFile:
    try:
        status = path.stat()
        size, changed = status.st_size, status.st_mtime_ns
    except OSError:
        size, changed = 0, 0  # reading it will say what is wrong with it
    return SourceFile(path, path.relative_to(folder).as_posix(), video, size, changed)


def count_frames(source: SourceFile) -> int:
    """Frames of a source for the progress bar, as far as its header says; 1 where it does not."""
    if not source.video:
        return 1
    try:
        with open_video(source.path) as container:
            video = main_video(source.path, container)
            if video.frames:
                return int(video.frames)
            rate = video.average_rate or video.guessed_rate or 25
            return max(1, round((container.duration or 0) / av.time_base * float(rate)))
    except (BadInput, av.FFmpegError, OSError):
        return 1


def load_photo(path: Path) -> Picture:
    """A photo [H, W, 3], BGR, H and W even, turned upright as its EXIF tag says.

    Raises:
        BadInput: It cannot be read, is no picture, too large or too small.
    """
    check_readable(path)
    if path.stat().st_size > MOST_BYTES:
        raise BadInput(f"{path}: larger than {MOST_BYTES >> 20} MiB")
    try:
        _check_pixels(path)
        # Not cv2.imread, which writes a line of its own about a damaged file.
        picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    except (OSError, cv2.error, MemoryError) as error:
        raise BadInput(f"{path}: not a readable picture") from error
    if picture is None:
        raise BadInput(f"{path}: not a readable picture")
    height, width = (edge // 2 * 2 for edge in picture.shape[:2])
    if min(height, width) < SMALLEST:
        raise BadInput(f"{path}: smaller than {SMALLEST} pixels")
    return np.ascontiguousarray(picture[:height, :width], np.uint8)


def _check_pixels(path: Path) -> None:
    """Read the size off the header, before anything is decoded into memory."""
    try:
        with av.open(os.path.abspath(path), options={"protocol_whitelist": "file"}) as container:
            videos = container.streams.video
            pixels = max((v.width * v.height for v in videos), default=0)
    except (av.FFmpegError, ValueError):
        return  # OpenCV may know it nevertheless
    if pixels > MOST_PIXELS:
        raise BadInput(f"{path}: more than {MOST_PIXELS // 1_000_000} million pixels")
