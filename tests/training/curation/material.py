"""A small folder of drawn heads: photos, a video, and files that are none."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from tests.training.curation.heads import head
from training.faces import Picture

EDGE = 320
POINTS = head(1, EDGE)[1]


def write_video(path: Path, pictures: list[Picture], rate: int = 10) -> Path:
    """Pictures of one size as a video that loses little."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(rate))
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "4", "preset": "ultrafast"}
        for picture in pictures:
            planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))
    return path


def write_folder(folder: Path) -> Path:
    """Two people, one of them twice, a blurred one, a video with a gap, and two damaged files."""
    folder.mkdir(parents=True)
    for seed, name in ((1, "anna.png"), (2, "bert.png"), (1, "copy of anna.png")):
        cv2.imwrite(str(folder / name), head(seed, EDGE)[0])
    cv2.imwrite(str(folder / "soft.png"), cv2.GaussianBlur(head(3, EDGE)[0], (0, 0), 2.5))
    dark = np.zeros((EDGE, EDGE, 3), np.uint8)
    write_video(folder / "walk.mp4", [head(4, EDGE)[0]] * 24 + [dark] * 12 + [head(5, EDGE)[0]] * 14)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 half a photo")
    (folder / "words.mp4").write_text("no video")
    return folder
