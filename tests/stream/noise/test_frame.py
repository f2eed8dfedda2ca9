"""When the grain of the room is taken away."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from stream.frames.planes import Planes
from stream.frames.scene import Scene
from stream.noise.frame import GONE, SEEN, FrameNoise, is_noisy
from stream.noise.level import follow_levels
from tests.stream.noise.test_still import ROOM, SIZE, planes


def run(deviation: float, frames: int = 10, in_words: bool = False) -> tuple[FrameNoise, Planes, Planes]:
    noise = FrameNoise()
    for seed in range(frames):
        given = planes(ROOM, seed, deviation)
        out = noise(given, in_words)
    return noise, given, out


def test_a_clean_picture_stays_the_very_same() -> None:
    # Guards against a soft room in a good call.
    for deviation, in_words in ((0.0, True), (0.7, True), (2.0, False)):
        noise, given, out = run(deviation, in_words=in_words)
        assert not noise.on and out is given


def test_a_noisy_one_is_filtered_after_a_look() -> None:
    noise, given, out = run(8.0)
    assert noise.on and np.std(out.y - ROOM) < 0.6 * np.std(given.y - ROOM)
    noise.forget()
    assert not noise.on and noise(given, False) is given


def test_whoever_asks_in_words_gets_it_sooner() -> None:
    assert not run(2.2)[0].on and run(2.2, in_words=True)[0].on


def test_it_does_not_flicker_about_its_threshold() -> None:
    between = np.full(256, (SEEN + GONE) / 2, np.float32)
    assert is_noisy(between, True, False) and not is_noisy(between, False, False)


def deviation_of(noise: FrameNoise) -> float:
    """As measured, at the middle of all brightnesses."""
    assert noise.levels is not None
    return float(np.median(noise.levels))


TEXTURE = np.repeat(np.repeat(np.random.default_rng(3).normal(0, 45, (30, 200)), 6, 0), 6, 1)
"""[180, 1200] of patches, wider than a frame."""
OTHER = 120 + TEXTURE[:, : SIZE[1]]


def through(clean: list[NDArray[np.float64]], deviation: float) -> tuple[FrameNoise, list[Planes], list[bool]]:
    """The filter after these frames under noise, what it made of them, and when it was on."""
    noise, scene, out, on = FrameNoise(), Scene(), [], []
    for seed, picture in enumerate(clean):
        given = planes(picture, seed, deviation)
        if scene.ends(given.y):
            noise.forget()
        out.append(noise(given, False))
        on.append(noise.on)
    return noise, out, on


@pytest.mark.parametrize("before", range(1, 9))
def test_a_cut_is_not_taken_for_noise(before: int) -> None:
    # Guards against two scenes whose difference is taken for noise: the clean one then ghosts for seconds.
    noise, out, on = through([ROOM] * before + [OTHER] * 12, 0.7)
    assert not any(on)
    noise, out, on = through([ROOM] * before + [OTHER] * 12, 8.0)
    assert not on[before] and all(on[before + 1 :])
    assert deviation_of(noise) == pytest.approx(8.0, rel=0.2)
    # Nothing of the scene before shows in the first frames of this one.
    for made in out[before : before + 3]:
        assert (
            np.abs((made.y - OTHER).mean()) < 1
            and np.corrcoef(made.y.ravel() - OTHER.ravel(), ROOM.ravel())[0, 1] < 0.1
        )


@pytest.mark.parametrize("step", [1, 3, 8])
def test_a_pan_is_not_taken_for_noise(step: int) -> None:
    # Guards against a camera that is turned: all that moves is taken for noise, and smears.
    pan = [120 + TEXTURE[:, step * n : step * n + SIZE[1]] for n in range(20)]
    noise, out, on = through(pan, 0.7)
    assert not any(on)
    assert deviation_of(through(pan + [pan[-1]] * 3, 8.0)[0]) == pytest.approx(8.0, rel=0.2)
    # One that begins while the filter is on leaves what was measured before.
    noise, out, _ = through([pan[0]] * 6 + pan, 8.0)
    assert deviation_of(noise) == pytest.approx(8.0, rel=0.2)


def test_what_is_measured_too_high_falls_soon() -> None:
    # Guards against seconds of ghosts after motion that was taken for noise.
    levels, measured = np.full(256, 24, np.float32), np.full(256, 4, np.float32)
    for _ in range(8):
        levels = np.asarray(follow_levels(levels, measured))
    assert levels.max() < 6


def test_frames_apart_are_not_compared() -> None:
    """Guards against frames that were passed by: a pair with a gap between it was measured as if it were noise."""
    noise = FrameNoise()
    for seed, shift in enumerate((0, 40)):
        moved = np.roll(OTHER, shift, axis=1)
        noise(planes(moved, seed, 0.7), True)
        noise.forget()
        noise(planes(np.roll(OTHER, shift + 20, axis=1), seed, 0.7), True)
        assert not noise.on and noise.levels is None
