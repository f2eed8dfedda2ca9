"""The README's picture: faces as a bad call shows them, above the same after clearcall.

Run as `python -m benchmarks.before_after DOCS/before-after.jpg [--faces FOLDER] [--model lite]`. Every face is a still,
damaged over a clip of frames and filtered as the doors filter it, prompt auto; the last frame is shown.
"""

from __future__ import annotations

import argparse
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from engines.errors import BadInput, ClearcallError
from stream.filter import FaceFilter
from stream.models import Model, open_model
from training.degrade import Degradation, Planar, degrade
from training.faces import list_faces, load_still

FACES = Path(__file__).resolve().parents[2] / "shared" / "data" / "dev"
COLUMNS = (
    ("noise", {"noise": 0.6}),
    ("low light, noise", {"low light": 0.6, "noise": 0.35}),
    ("compression", {"compression": 0.6}),
    ("blur", {"blur": 0.45}),
)
EDGE = 384
FRAMES = 12

Picture = NDArray[np.uint8]


def column(model: Model, still: Picture, levels: dict[str, float]) -> tuple[Picture, Picture]:
    """The last frame of a damaged clip of the still, and the same restored; BGR, [EDGE,EDGE,3]."""
    top, left = (still.shape[0] - EDGE) // 2, (still.shape[1] - EDGE) // 2
    square = np.ascontiguousarray(still[top : top + EDGE, left : left + EDGE])
    damaged = degrade([square] * FRAMES, Degradation(levels), np.random.default_rng(3))
    frames = [_frame(planes) for planes in _each(damaged)]
    face_filter = FaceFilter(model)
    restored = frames[0]
    for index, frame in enumerate(frames):
        frame.pts, frame.time_base = index, Fraction(1, 30)
        restored = face_filter.process(frame)
    if restored is frames[-1]:
        raise ClearcallError("the filter found no face to restore")
    return _bgr(frames[-1]), _bgr(restored)


def _each(clip: Planar) -> list[Picture]:
    """Each frame of planes as one I420 picture."""
    y, uv = clip
    return [
        np.concatenate([y[i, 0].reshape(-1), uv[i].reshape(-1)]).reshape(EDGE * 3 // 2, EDGE) for i in range(len(y))
    ]


def _frame(picture: Picture) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(picture, format="yuv420p")


def _bgr(frame: av.VideoFrame) -> Picture:
    return np.asarray(cv2.cvtColor(frame.to_ndarray(), cv2.COLOR_YUV2BGR_I420), np.uint8)


def main(argv: list[str] | None = None) -> int:
    """Draw the picture; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.before_after", description=__doc__.split("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--faces", type=Path, default=FACES, help="folder with stills of at least 384 pixels")
    parser.add_argument("--model", default="lite")
    arguments = parser.parse_args(argv)
    try:
        model = open_model(arguments.model)
        stills = [load_still(file.path) for file in list_faces(arguments.faces) if not file.clip]
        stills = [still for still in stills if min(still.shape[:2]) >= EDGE]
        if len(stills) < len(COLUMNS):
            raise BadInput(f"{arguments.faces}: fewer than {len(COLUMNS)} stills of at least {EDGE} pixels")
        step = len(stills) // len(COLUMNS)
        pairs = [column(model, stills[i * step], levels) for i, (_, levels) in enumerate(COLUMNS)]
    except ClearcallError as error:
        print(f"before_after: {error}", file=sys.stderr)
        return error.exit_status
    for (name, _), (before, _) in zip(COLUMNS, pairs, strict=True):
        cv2.putText(before, name, (8, EDGE - 12), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255, 255, 255), 2, cv2.LINE_AA)
    sheet = np.vstack([np.hstack([before for before, _ in pairs]), np.hstack([after for _, after in pairs])])
    if not cv2.imwrite(str(arguments.output), sheet, [cv2.IMWRITE_JPEG_QUALITY, 88]):
        print(f"before_after: cannot write {arguments.output}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
