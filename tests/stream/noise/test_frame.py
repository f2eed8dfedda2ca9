"""When the grain of the room is taken away."""

from __future__ import annotations

import numpy as np

from stream.frames.planes import Planes
from stream.noise.frame import GONE, SEEN, FrameNoise, is_noisy
from tests.stream.noise.test_still import ROOM, planes


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
