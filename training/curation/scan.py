"""Reads one source from its beginning to its end and scores the faces in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import av
import cv2
import numpy as np

from engines.errors import BadInput
from stream.files.source import Source
from stream.files.upright import turn
from stream.frames.pixels import is_full_range, read_planes
from training.curation.face import cut_face, square_round
from training.curation.find import FaceFinder
from training.curation.follow import Followed, Follower
from training.curation.found import Found
from training.curation.likeness import signature
from training.curation.measures import measure
from training.curation.rubric import Rubric
from training.curation.sources import SourceFile, load_photo
from training.curation.track import TrackScorer
from training.faces import Picture

MOST_FACES = 8
"""Faces of one photo, the largest ones."""

MOST_TRACKS = 500
"""Tracks of one video: a flickering film must not fill the manifest."""

Tick = Callable[[], None]
"""Called after each frame; may raise to stop."""


def scan(source: SourceFile, finder: FaceFinder, rubric: Rubric, tick: Tick) -> list[Found]:
    """All faces of a photo, or all tracks of a video in the order of their beginning.

    Raises:
        BadInput: The file cannot be read; ClearcallError where reading fails on the way.
    """
    try:
        if source.video:
            return scan_video(source.path, finder, rubric, tick)
        found = scan_photo(source.path, finder)
    except (cv2.error, av.FFmpegError, MemoryError) as error:
        # What slipped through the checks of one file must not end the run for all others.
        raise BadInput(f"{source.path}: cannot be worked on ({type(error).__name__})") from error
    tick()
    return found


def scan_photo(path: Path, finder: FaceFinder) -> list[Found]:
    """All faces of a photo, largest first; BadInput where it cannot be read."""
    picture = load_photo(path)
    found = []
    for points in finder.in_photo(picture, MOST_FACES):
        face = cut_face(picture, points)
        left, top = points.min(axis=0)
        right, bottom = points.max(axis=0)
        square = square_round((float(left), float(top), float(right), float(bottom)), *picture.shape[1::-1])
        found.append(Found(measure(face), signature(face), face.cut, square))
    return found


def scan_video(path: Path, finder: FaceFinder, rubric: Rubric, tick: Tick) -> list[Found]:
    """All tracks of a video; ClearcallError where it cannot be read."""
    follower = Follower(finder)
    running: dict[int, TrackScorer] = {}
    done: dict[int, Found] = {}

    def finish(track: int) -> None:
        found = running.pop(track).finish()
        if found is not None and len(done) < MOST_TRACKS:
            done[track] = found

    with Source(path) as source:
        rate = float(source.facts.picture.rate)
        for index, frame in enumerate(upright_frames(source)):
            faces = follower.update(read_planes(frame), is_full_range(frame))
            for track in running.keys() - {face.track for face in faces}:
                finish(track)
            _add(index, frame, faces, running, lambda f: TrackScorer(rubric, rate, f.width, f.height))
            tick()
    for track in list(running):
        finish(track)
    return [done[track] for track in sorted(done)]


def _add(
    index: int,
    frame: av.VideoFrame,
    faces: list[Followed],
    running: dict[int, TrackScorer],
    start: Callable[[av.VideoFrame], TrackScorer],
) -> None:
    """Hand a frame to the scorers of its faces; it is converted once, and only where one of them measures it."""
    picture: Picture | None = None
    for face in faces:
        scorer = running.get(face.track)
        if scorer is None:
            scorer = running[face.track] = start(frame)
        wanted = scorer.wants_picture()
        if wanted and picture is None:
            picture = to_picture(frame)
        scorer.add(index, face.points, picture if wanted else None)


def upright_frames(source: Source) -> Iterator[av.VideoFrame]:
    """The frames of a video as players show them, but for mirroring."""
    quarters = source.facts.display.quarters
    with closing(source.items(())) as items:
        for item in items:
            if isinstance(item, av.VideoFrame):
                turned = turn(item, quarters) if quarters else None
                yield item if turned is None else turned


def to_picture(frame: av.VideoFrame) -> Picture:
    """The frame's pixels [H, W, 3], BGR."""
    return np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
