"""How far the face tracker is from MediaPipe's own landmarks, and what it costs.

Run as `python -m benchmarks.face_tracking [RECORDING LANDMARKS.npz]`; the file of landmarks holds `landmarks`
[frames, 468, 2] in pixels.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from engines.errors import BadInput, ClearcallError
from stream.face.models import FaceModels, model_paths
from stream.face.tracker import FaceTracker
from stream.frames.pixels import plane_rows
from stream.frames.planes import Plane, Planes

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "call"
RECORDING = DATA / "p030_call_720p.mp4"
LANDMARKS = DATA / "p030_call_720p_mediapipe_facemesh.npz"


@dataclass(slots=True)
class Result:
    """One run over a recording."""

    distances: NDArray[np.float64]
    """Of each landmark in each frame where the tracker saw a face, px."""
    milliseconds: NDArray[np.float64]
    """Of each frame."""
    lost: int
    """Frames without a face."""
    detections: int
    """Times that a new face was taken up."""
    jitter: float
    """Median of the landmarks' second difference, px."""


def frames(recording: Path) -> Iterator[tuple[Planes, float]]:
    """The frames of an 8-bit 4:2:0 recording with their time stamps, s.

    Raises:
        BadInput: The file cannot be read.
    """
    try:
        with av.open(str(recording)) as container:
            for frame in container.decode(video=0):
                y, u, v = (_plane(frame.planes[index]) for index in range(3))
                yield Planes(y, u, v), float(frame.time or 0)
    except (av.FFmpegError, IndexError) as error:
        raise BadInput(f"{recording}: {error}") from error


def _plane(plane: av.video.plane.VideoPlane) -> Plane:
    return plane_rows(plane)[: plane.height, : plane.width]


def measure(models: FaceModels, recording: Path, landmarks: NDArray[np.float32], every: int) -> Result:
    """Track the recording and compare with `landmarks` [frames, 468, 2], px."""
    tracker = FaceTracker(models, every)
    distances, points, milliseconds, ids = [], [], [], set()
    for (planes, timestamp), reference in zip(frames(recording), landmarks, strict=False):
        start = time.perf_counter()
        face = tracker.update(planes, timestamp)
        milliseconds.append((time.perf_counter() - start) * 1000)
        if face is not None:
            distances.append(np.linalg.norm(face.landmarks - reference, axis=1))
            points.append(face.landmarks)
            ids.add(face.track_id)
    second = np.diff(np.array(points), n=2, axis=0)
    return Result(
        distances=np.array(distances, np.float64),
        milliseconds=np.array(milliseconds),
        lost=len(milliseconds) - len(points),
        detections=len(ids),
        jitter=float(np.median(np.linalg.norm(second, axis=-1))),
    )


def main(arguments: list[str]) -> int:
    """Print the table; returns the exit status."""
    if len(arguments) not in (0, 2):
        raise BadInput("usage: python -m benchmarks.face_tracking [RECORDING LANDMARKS.npz]")
    recording, file = (Path(argument) for argument in arguments) if arguments else (RECORDING, LANDMARKS)
    try:
        landmarks = np.load(file)["landmarks"].astype(np.float32)
    except (OSError, KeyError, ValueError) as error:
        raise BadInput(f"{file}: {error}") from error
    # One thread: the tracker has to leave the other cores to the generator and the codecs.
    cv2.setNumThreads(1)
    models = model_paths()
    print("every  median px  p95 px  jitter px  median ms  p95 ms  lost  detections")
    for every in (1, 3):
        result = measure(models, recording, landmarks, every)
        near, far = np.percentile(result.distances, [50, 95])
        typical, slow = np.percentile(result.milliseconds, [50, 95])
        print(
            f"{every:5}  {near:9.2f}  {far:6.2f}  {result.jitter:9.2f}  {typical:9.2f}  {slow:6.2f}"
            f"  {result.lost:4}  {result.detections:10}"
        )
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ClearcallError as error:
        print(f"clearcall: {error}", file=sys.stderr)
        sys.exit(error.exit_status)
