"""Source pictures: a folder of face stills and short clips, grouped by person."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from engines.errors import BadInput

STILLS = {".jpg", ".jpeg", ".png", ".webp"}
CLIPS = {".mp4", ".mkv", ".mov", ".webm"}
SMALLEST = 64
"""Edge in pixels below which there is no face to learn from."""

Picture = NDArray[np.uint8]
"""[H, W, 3], BGR"""


@dataclass(frozen=True, slots=True)
class FaceFile:
    """A still or a clip of one person."""

    path: Path
    identity: str
    """File name up to the first underscore: files of one person share it."""
    clip: bool


def list_faces(folder: Path) -> list[FaceFile]:
    """All stills and clips of a folder, in name order; BadInput when there are none."""
    if not folder.is_dir():
        raise BadInput(f"{folder}: not a folder")
    files = [
        FaceFile(path, path.stem.split("_")[0], path.suffix.lower() in CLIPS)
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in STILLS | CLIPS
    ]
    if not files:
        raise BadInput(f"{folder}: no stills or clips in it")
    return files


def attributions(folder: Path, files: list[FaceFile]) -> list[str]:
    """Licences of the files, from the `manifest.csv` in or beside the folder (columns `file`, `licence`), if any."""
    names = {f.path.name for f in files}
    for path in (folder / "manifest.csv", folder.parent / "manifest.csv"):
        if path.is_file():
            with path.open(newline="", encoding="utf-8") as lines:
                rows = list(csv.DictReader(lines))
            return sorted({r["licence"] for r in rows if Path(r.get("file") or "").name in names and r.get("licence")})
    return []


def load_still(path: Path) -> Picture:
    """Read a still; BadInput when it is not a picture, or too small a one."""
    try:
        # Not cv2.imread, which writes a line of its own about a missing file.
        picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    except (OSError, cv2.error):
        picture = None
    if picture is None:
        raise BadInput(f"{path}: not a readable picture")
    if min(picture.shape[:2]) < SMALLEST:
        raise BadInput(f"{path}: smaller than {SMALLEST} pixels")
    return np.asarray(picture, np.uint8)


def load_clip(path: Path, limit: int | None = None) -> list[Picture]:
    """Decode the first `limit` frames of a clip; BadInput when there is no video in it, or too small a one."""
    try:
        with av.open(str(path)) as container:
            frames: list[Picture] = []
            for frame in container.decode(video=0):
                frames.append(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
                if limit is not None and len(frames) >= limit:
                    break
    except (av.FFmpegError, IndexError) as error:
        raise BadInput(f"{path}: not a readable clip ({error})") from error
    if not frames:
        raise BadInput(f"{path}: no frames in it")
    if min(frames[0].shape[:2]) < SMALLEST:
        raise BadInput(f"{path}: smaller than {SMALLEST} pixels")
    return frames
