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
    """Licences of the files, from the `manifest.csv` beside or in the folder (columns `file`, `licence`), if there is one."""
    names = {f.path.name for f in files}
    for path in (folder / "manifest.csv", folder.parent / "manifest.csv"):
        if path.is_file():
            with path.open(newline="", encoding="utf-8") as lines:
                rows = list(csv.DictReader(lines))
            return sorted({r["licence"] for r in rows if Path(r["file"]).name in names and r.get("licence")})
    return []


def load_still(path: Path) -> Picture:
    """Read a still; BadInput when it is not a picture."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise BadInput(f"{path}: not a picture")
    return np.asarray(picture, np.uint8)


def load_clip(path: Path, limit: int | None = None) -> list[Picture]:
    """Decode the first `limit` frames of a clip; BadInput when there is no video in it."""
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
    return frames
