"""The curve: nothing clips, black stays, an off tone is the identity."""

from __future__ import annotations

import numpy as np
import pytest

from stream.frames.levels import BLACK, LUMA
from stream.tone.curve import Tone, bend, chroma_factors, luma_levels

TONES = [
    Tone(gain=0.9, top=219.0),
    Tone(gain=0.9, top=90.0),
    Tone(gain=0.3, lift=3.0, top=200.0),
    Tone(veil=60.0, contrast=0.7, top=210.0),
    Tone(gain=0.5, veil=30.0, contrast=0.4, tint_u=3.0, tint_v=-2.0, top=180.0),
]


@pytest.mark.parametrize("full_range", [False, True])
def test_no_tone_changes_nothing(full_range: bool) -> None:
    # Guards against a picture that needs nothing and gets a bend.
    tone = Tone(top=150.0)
    assert tone.within(1.0)
    assert np.allclose(luma_levels(tone, full_range), np.arange(256))
    assert np.allclose(chroma_factors(tone, full_range), 1)


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("tone", TONES)
def test_levels_rise_and_what_was_seen_stays_below_white(tone: Tone, full_range: bool) -> None:
    # Guards against highlights that clip: a window behind a dark face, brightened with it.
    levels = luma_levels(tone, full_range)
    scale = 255 / LUMA if full_range else 1.0
    black = 0 if full_range else BLACK
    seen = levels[black : black + int(tone.top * scale) + 1]
    assert (np.diff(seen) >= 0).all()
    start = int(np.flatnonzero(seen > black)[0])
    assert (np.diff(seen[start:]) > 0).all()
    assert seen.max() <= black + LUMA * scale + 1e-6


def test_what_is_nearly_black_stays_nearly_black() -> None:
    """Guards against a lift that jumps: level 16 stayed 16, and 17 became 26."""
    levels = luma_levels(Tone(gain=0.3, lift=8.0, top=200.0), False)
    assert np.abs(np.diff(levels[: BLACK + 40])).max() < 2.0 and levels[BLACK + 1] < BLACK + 2
    assert (np.diff(luma_levels(Tone(gain=0.3, lift=-8.0, top=200.0), False)) >= 0).all()


@pytest.mark.parametrize("tone", TONES)
def test_black_stays_black(tone: Tone) -> None:
    assert (luma_levels(tone, False)[: BLACK + 1] == np.arange(BLACK + 1)).all()
    assert luma_levels(tone, True)[0] == 0


def test_the_bend_begins_gently_and_ends_at_white() -> None:
    levels = np.linspace(0, 500, 2001)
    bent = bend(levels, 500.0)
    assert bent[-1] == pytest.approx(LUMA) and bent[0] == 0
    slope = np.diff(bent) / np.diff(levels)
    assert (slope > 0).all() and np.abs(np.diff(slope)).max() < 0.05
    assert np.allclose(bend(levels, 200.0), levels)


def test_what_is_bent_loses_colour_with_its_light() -> None:
    # Guards against a lamp's halo that turns into a glowing orange.
    tone = Tone(gain=0.9, top=219.0)
    factors, levels = chroma_factors(tone, False), luma_levels(tone, False)
    for level in (60, 150, 230):
        assert factors[level] == pytest.approx((levels[level] - BLACK) / (level - BLACK), rel=1e-6)
