"""Synthesised training material: smooth coloured patterns in place of faces."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from training.faces import Picture


def pattern(seed: int, edge: int = 256) -> Picture:
    """A picture with soft shapes and some fine detail."""
    rng = np.random.default_rng(seed)
    soft = cv2.resize(rng.integers(30, 220, (8, 8, 3)).astype(np.float32), (edge, edge), interpolation=cv2.INTER_CUBIC)
    fine = np.asarray(cv2.resize(rng.normal(0, 25, (edge // 3, edge // 3)), (edge, edge)), np.float32)
    return np.asarray(np.clip(soft + fine[..., None], 0, 255), np.uint8)


def write_stills(folder: Path, count: int = 3, edge: int = 256) -> Path:
    """A folder of stills of as many people; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        cv2.imwrite(str(folder / f"p{index}_still.png"), pattern(index, edge))
    return folder


def write_clip(path: Path, edge: int = 256, frames: int = 6) -> Path:
    """A moving pattern, encoded."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(30))
        stream.width = stream.height = edge
        stream.pix_fmt = "yuv420p"
        for index in range(frames):
            picture = np.roll(pattern(9, edge), index, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    return path
