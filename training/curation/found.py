"""What was found in one source: faces of a photo, tracks of a video."""

from __future__ import annotations

from dataclasses import dataclass

from training.curation.face import Square
from training.curation.likeness import Signature
from training.curation.measures import Measures
from training.faces import Picture


@dataclass(frozen=True, slots=True)
class Span:
    """Frames of a track, both ends included, counted from 0."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Found:
    """One face of a photo, or one track of a video."""

    measures: Measures
    signature: Signature
    picture: Picture
    """[N, N, 3], BGR: the cut face; of a track its best one."""
    square: Square
    """Where it lies; of a track the square that holds the face through the whole window."""
    frames: Span | None = None
    """The whole track; None for a photo."""
    window: Span | None = None
    """The best seconds of the track, which it is scored by."""
    rate: float = 0.0
    """Frames a second of the video."""
