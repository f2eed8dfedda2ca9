"""Scores one track while it runs, in bounded memory: only the best window of a few seconds is kept."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from stream.face.roi import Box, box_of
from training.curation.face import MARGIN, Face, Points, Square, cut_face
from training.curation.found import Found, Span
from training.curation.likeness import ANCHORS, Signature, signature
from training.curation.measures import Measures, measure
from training.curation.rubric import CRITERIA, Rubric, overall, scores
from training.faces import Picture

WINDOW = 4.0
"""Seconds: clips of this length are what training reads."""

FEWEST, MOST = 8, 240
"""Frames of a window, whatever the video's rate."""

SAMPLE_EVERY = 5
"""Frames from one that is measured to the next."""

QUARTILE = 0.25
"""A window counts as its worse quarter does, in each criterion."""


@dataclass(slots=True)
class _Window:
    """A window that is being filled."""

    first: int
    last: int
    box: Box
    """Round all of the face's boxes so far."""
    size: float
    """Of the largest of them."""
    samples: list[Measures] = field(default_factory=list)
    jerks: list[float] = field(default_factory=list)
    best: Face | None = None
    best_score: float = -1.0


@dataclass(frozen=True, slots=True)
class _Scored:
    """A full window: what is kept of the best one."""

    score: float
    measures: Measures
    signature: Signature
    picture: Picture
    square: Square
    span: Span


class TrackScorer:
    """Takes the frames of one track in order."""

    def __init__(self, rubric: Rubric, rate: float, width: int, height: int) -> None:
        """Start a track in frames of width x height pixels that come `rate` times a second."""
        self._rubric, self._rate = rubric, rate
        self._width, self._height = width, height
        self._length = min(max(round(WINDOW * rate), FEWEST), MOST)
        self._window: _Window | None = None
        self._kept: _Scored | None = None
        self._first = self._last = -1
        self._before: list[Points] = []

    def wants_picture(self) -> bool:
        """Whether the next frame will be measured."""
        return self._first < 0 or (self._last + 1 - self._first) % SAMPLE_EVERY == 0

    def add(self, index: int, points: Points, picture: Picture | None) -> None:
        """Take the frame `index` with its landmarks, and its pixels [H, W, 3] where `wants_picture` says so."""
        box = box_of(points)
        size = max(box[2] - box[0], box[3] - box[1])
        if self._first < 0:
            self._first = index
        self._last = index
        if self._window is not None and index - self._window.first >= self._length:
            self._close_window()
        if self._window is None:
            self._window = _Window(index, index, box, size)
        window = self._window
        window.last, window.box, window.size = index, _joined(window.box, box), max(window.size, size)
        jerk = self._jerk(points, size)
        if jerk is not None:
            window.jerks.append(jerk)
        if picture is not None:
            self._measure(window, cut_face(picture, points))

    def _jerk(self, points: Points, size: float) -> float | None:
        """How far the face is from where its last two places would have it, in thousandths of its size."""
        steady = points[list(ANCHORS)]
        self._before = [*self._before[-2:], steady]
        if len(self._before) < 3:
            return None
        a, b, c = self._before
        return 1000 * float(np.linalg.norm((c - 2 * b + a).mean(axis=0))) / max(size, 1.0)

    def _measure(self, window: _Window, face: Face) -> None:
        measures = measure(face)
        window.samples.append(measures)
        score = overall(scores(measures, self._rubric))
        if score > window.best_score:
            window.best, window.best_score = face, score

    def _close_window(self) -> None:
        window, self._window = self._window, None
        if window is None or window.best is None:
            return
        measures = summary(window.samples)
        measures["jitter"] = round(float(np.median(window.jerks)), 4) if window.jerks else 0.0
        full = window.last - window.first + 1 >= self._length
        # A short rest at the track's end is no match for a full window, however good it is.
        score = overall(scores(measures, self._rubric)) - (0 if full else 1)
        if self._kept is None or score > self._kept.score:
            square = square_over(window.box, window.size, self._width, self._height)
            span = Span(window.first, window.last)
            cut = window.best.cut
            self._kept = _Scored(score, measures, signature(window.best), cut, square, span)

    def finish(self) -> Found | None:
        """The track's best window; None where no frame was measured."""
        self._close_window()
        kept = self._kept
        if kept is None:
            return None
        seconds = round((self._last - self._first + 1) / self._rate, 3)
        return Found(
            measures={**kept.measures, "seconds": seconds},
            signature=kept.signature,
            picture=kept.picture,
            square=kept.square,
            frames=Span(self._first, self._last),
            window=kept.span,
            rate=round(self._rate, 3),
        )


def summary(samples: list[Measures]) -> Measures:
    """The worse quarter of each criterion over a window's samples."""
    worse = {c.name: QUARTILE if c.at_least else 1 - QUARTILE for c in CRITERIA}
    return {name: round(float(np.quantile([s[name] for s in samples], worse[name])), 4) for name in samples[0]}


def square_over(box: Box, size: float, width: int, height: int) -> Square:
    """The square that holds a face of this size wherever in the box it is, inside a frame of width x height pixels."""
    left, top, right, bottom = box
    wanted = max(right - left, bottom - top) + (MARGIN - 1) * size
    edge = max(2, min(round(wanted), width, height) // 2 * 2)
    x, y = round((left + right - edge) / 2), round((top + bottom - edge) / 2)
    return Square(min(max(x, 0), width - edge), min(max(y, 0), height - edge), edge)


def _joined(one: Box, other: Box) -> Box:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])
