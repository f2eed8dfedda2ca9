"""The one-euro filter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.face.smoothing import OneEuro, Smoothed, smooth
from tests.stream.face.shapes import drawn_face

FACE = drawn_face(300, 300, 200)
SIZE = 240.0


def run(points: list[NDArray[np.float32]], interval: float = 1 / 30, size: float = SIZE) -> NDArray[np.float32]:
    past: Smoothed | None = None
    out = []
    for index, frame in enumerate(points):
        past = smooth(past, frame, size, index * interval, OneEuro())
        out.append(past.points)
    return np.array(out)


def test_the_first_frame_passes() -> None:
    np.testing.assert_array_equal(run([FACE])[0], FACE)


def test_a_still_face_stands_still() -> None:
    noise = np.random.default_rng(0).normal(0, 0.5, (90, 468, 2)).astype(np.float32)
    out = run([FACE + frame for frame in noise])
    assert np.abs(np.diff(out, axis=0)).mean() < 0.5 * np.abs(np.diff(noise, axis=0)).mean()


def test_a_quick_face_does_not_lag() -> None:
    # One face size a second: a turn of the head.
    moving = [FACE + np.float32(index * SIZE / 30) for index in range(60)]
    lag = np.abs(run(moving)[-1] - moving[-1]).max()
    assert lag < 0.02 * SIZE


def test_the_same_at_any_size() -> None:
    # Guards against a filter tuned at 720p that lags at 1080p.
    noise = np.random.default_rng(1).normal(0, 0.5, (30, 468, 2)).astype(np.float32)
    frames = [FACE + frame for frame in noise]
    twice = run([frame * 2 for frame in frames], size=2 * SIZE)
    np.testing.assert_allclose(twice, run(frames) * 2, rtol=1e-4)


def test_the_clock_is_the_frames_own() -> None:
    # Guards against a filter that counts frames: at half the rate each one has to count for more.
    step = [FACE, FACE + 10]
    slow, quick = run(step, interval=1 / 15)[1], run(step, interval=1 / 30)[1]
    assert (slow > FACE).all() and (slow >= quick - 10).all()
    assert np.abs(slow - step[1]).mean() != np.abs(quick - step[1]).mean()


def test_a_gap_or_a_clock_set_back_starts_afresh() -> None:
    past = smooth(None, FACE, SIZE, 10.0, OneEuro())
    for timestamp in (9.0, 12.0):
        np.testing.assert_array_equal(smooth(past, FACE + 50, SIZE, timestamp, OneEuro()).points, FACE + 50)


def test_two_frames_of_one_time_are_finite() -> None:
    # Guards against a division by a time step of zero.
    past = smooth(None, FACE, SIZE, 10.0, OneEuro())
    assert np.isfinite(smooth(past, FACE + 1, 0.0, 10.0, OneEuro()).points).all()
