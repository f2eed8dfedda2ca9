"""The tone in time: at once at the start, then slowly, however the wanted one jumps."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from stream.frames.levels import BLACK
from stream.tone.curve import Tone, luma_levels
from stream.tone.follow import MOST, follow


def test_the_first_is_taken_at_once() -> None:
    assert follow(None, Tone(gain=0.8)) == Tone(gain=0.8)


def test_no_frame_changes_more_than_it_may() -> None:
    # Guards against a room that jumps when a lamp comes on.
    tone = Tone(gain=0.8, veil=50.0, contrast=0.5)
    for wanted in (Tone(), Tone(gain=1.6, lift=20.0, veil=120.0, contrast=1.0, tint_u=8.0, tint_v=-8.0, top=40.0)) * 3:
        after = follow(tone, wanted)
        for old, new, most in zip(astuple(tone), astuple(after), astuple(MOST), strict=True):
            assert abs(new - old) <= most + 1e-12
        tone = after


def test_it_arrives() -> None:
    tone = Tone()
    for _ in range(90):
        tone = follow(tone, Tone(gain=0.8, veil=40.0))
    assert abs(tone.gain - 0.8) < 0.02 and abs(tone.veil - 40) < 1


def test_what_swings_round_a_value_leaves_it_nearly_still() -> None:
    # Guards against pumping: a head that moves makes the estimate swing, about once a second.
    tone, seen = Tone(gain=0.6), []
    for frame in range(120):
        tone = follow(tone, Tone(gain=0.6 + 0.1 * np.sin(2 * np.pi * frame / 20)))
        seen.append(tone.gain)
    assert np.ptp(seen[30:]) < 0.08 and np.abs(np.diff(seen)).max() < 0.011


def test_a_brighter_top_is_taken_within_some_frames_and_let_go_of_slowly() -> None:
    # Guards against a lamp that stays burnt out while the gain has not followed yet.
    tone, seen = Tone(gain=0.7, top=100.0), []
    for _ in range(6):
        tone = follow(tone, Tone(gain=0.7, top=210.0))
        seen.append(tone.top)
    assert seen[0] < 210 and tone.top == 210
    assert follow(tone, Tone(gain=0.7, top=100.0)).top < 200


@pytest.mark.parametrize("gain", [0.5, 0.9])
def test_a_lamp_does_not_darken_the_wall_in_a_frame(gain: float) -> None:
    """Guards against a room that jumps: with a new top at once, a light wall fell by 31 levels from frame to frame."""
    tone, walls = Tone(gain=gain, top=90.0), []
    for frame in range(90):
        tone = follow(tone, Tone(gain=gain, top=90.0 if frame < 10 else 215.0))
        walls.append(luma_levels(tone, False)[BLACK + 85])
    assert np.abs(np.diff(walls)).max() < 11
