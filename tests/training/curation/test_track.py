"""Of a long track the best seconds are kept, in memory that does not grow with it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.curation.heads import head, landmarks
from training.curation import track
from training.curation.found import Found, Span
from training.curation.rubric import load_rubric
from training.curation.track import TrackScorer, square_over
from training.faces import Picture


def scored(pictures: list[Picture], rate: float = 10.0, shake: float = 0.0) -> Found:
    rng = np.random.default_rng(0)
    scorer = TrackScorer(load_rubric(), rate, 320, 320)
    for index, picture in enumerate(pictures):
        points = landmarks(160, 160, 160) + np.float32(shake * 160) * rng.standard_normal(2).astype(np.float32)
        scorer.add(index, points, picture if scorer.wants_picture() else None)
    found = scorer.finish()
    assert found is not None
    return found


GOOD, BAD = head(1)[0], (head(1)[0] // 4).astype(np.uint8)


def test_the_best_window_is_kept() -> None:
    # 4 s at 10 fps are 40 frames: bad, good, bad.
    found = scored([BAD] * 40 + [GOOD] * 40 + [BAD] * 40)
    assert found.frames == Span(0, 119)
    assert found.window == Span(40, 79)
    assert found.measures["seconds"] == 12.0
    assert found.picture.mean() > 2 * BAD.mean()


def test_a_short_rest_does_not_win() -> None:
    assert scored([BAD] * 40 + [GOOD] * 9).window == Span(0, 39)


def test_a_track_shorter_than_a_window_is_its_own() -> None:
    found = scored([GOOD] * 6)
    assert found.window == found.frames == Span(0, 5)
    assert found.measures["seconds"] == 0.6


def test_a_shaken_track_is_told_from_a_still_one() -> None:
    limit = load_rubric().limits["jitter"]
    assert scored([GOOD] * 20).measures["jitter"] < 0.1 * limit
    assert scored([GOOD] * 20, shake=0.02).measures["jitter"] > limit


def test_a_quarter_of_bad_samples_decides() -> None:
    # Samples are taken each 5 frames: of 8, three are dark.
    pictures = [BAD if index // 5 in {1, 4, 6} else GOOD for index in range(40)]
    assert scored(pictures).measures["dark"] < load_rubric().limits["dark"]


def test_memory_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(track, "measure", lambda face: {"eyes": 1.0})
    scorer = TrackScorer(load_rubric(), 30.0, 320, 320)
    points = landmarks(160, 160, 160)
    for index in range(5000):
        scorer.add(index, points, GOOD if scorer.wants_picture() else None)
    window = scorer._window
    assert window is not None and len(window.samples) <= 24 and len(window.jerks) <= 120
    assert len(scorer._before) == 3


def test_the_square_holds_the_face_wherever_it_went() -> None:
    square = square_over((100, 100, 300, 220), 120, 640, 480)
    assert square.x <= 100 and square.x + square.edge >= 300
    assert square.edge % 2 == 0 and 0 <= square.y and square.y + square.edge <= 480


def test_the_square_stays_inside_a_small_frame() -> None:
    square = square_over((-50, -20, 400, 300), 300, 320, 240)
    assert (square.edge, square.y) == (240, 0) and 0 <= square.x <= 80
