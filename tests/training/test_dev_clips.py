"""Clips to validate on: centre squares, and a motion that is the one that is told."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.errors import BadInput
from tests.training.faces import pattern, write_clip, write_stills
from training.dev_clips import SPEEDS, DevClip, dev_clips
from training.warp_error import warp_errors


def shifts_of(clip: DevClip) -> np.ndarray:
    assert clip.shifts is not None
    return clip.shifts


def test_they_are_centre_squares(tmp_path: Path) -> None:
    write_stills(tmp_path, 3, 100)
    write_clip(tmp_path / "p9_clip.mp4", 128, frames=6)
    clips = dev_clips(tmp_path, 112)
    assert [(len(c.frames), c.frames[0].shape) for c in clips] == [(4, (96, 96, 3))] * 3 + [(4, (112, 112, 3))]
    # No room to move in.
    for index, clip in enumerate(clips[:3]):
        assert all(np.array_equal(f, pattern(index, 100)[2:98, 2:98]) for f in clip.frames)
        assert not shifts_of(clip).any()
    assert clips[3].shifts is None and clips[3].motion() is None
    assert len(dev_clips(tmp_path, 112, limit=2)) == 2
    with pytest.raises(BadInput):
        dev_clips(tmp_path / "missing", 112)


def test_stills_move_at_their_speeds_the_same_way_each_time(tmp_path: Path) -> None:
    write_stills(tmp_path, 8, 120)
    clips, again = dev_clips(tmp_path, 96), dev_clips(tmp_path, 96)
    for clip, other, speed in zip(clips, again, 2 * SPEEDS, strict=True):
        assert np.array_equal(clip.frames, other.frames) and np.array_equal(shifts_of(clip), shifts_of(other))
        steps = np.diff(shifts_of(clip), axis=0)
        # On a grid of 1/32 px.
        assert np.hypot(*steps.T) == pytest.approx(speed, abs=2**0.5 / 32)
        assert not np.mod(32 * shifts_of(clip), 1).any() and not shifts_of(clip)[0].any()
    last = [shifts_of(clip)[-1] for clip in clips]
    assert len({tuple(way) for way in last if way.any()}) == 6


def test_the_picture_does_what_the_motion_says(tmp_path: Path) -> None:
    # Guards against frames that go one way and a motion that goes another: what is steady would count as shaking.
    rows, columns = np.mgrid[0:140, 0:140]
    for index in range(3):
        blob = 255 * np.exp(-((columns - 70) ** 2 + (rows - 68) ** 2) / (2 * 9.0**2))
        cv2.imwrite(str(tmp_path / f"p{index}_still.png"), cv2.cvtColor(blob.astype(np.uint8), cv2.COLOR_GRAY2BGR))
    y, x = np.mgrid[0:96, 0:96]
    for clip in dev_clips(tmp_path, 96):
        places = []
        for frame in clip.frames:
            weights = frame[:, :, 0].astype(np.float64)
            places.append(((x * weights).sum() / weights.sum(), (y * weights).sum() / weights.sum()))
        told = clip.follow(np.array([places[0]], np.float32))[:, 0]
        assert np.abs(np.array(places) - told).max() < 0.05
    assert shifts_of(clip)[-1] @ shifts_of(clip)[-1] > 4.4**2


def test_a_clip_that_moves_is_steady_along_its_motion_alone(tmp_path: Path) -> None:
    write_stills(tmp_path, 3, 140)
    clip = dev_clips(tmp_path, 96)[2]
    still = DevClip(clip.frames, np.zeros_like(shifts_of(clip)))
    moved, unmoved = (warp_errors(clip.frames, c.motion() or [])[0] for c in (clip, still))
    assert moved is not None and unmoved is not None
    assert moved < 0.1 * unmoved


def test_a_still_with_little_room_moves_less(tmp_path: Path) -> None:
    write_stills(tmp_path, 3, 140)
    cv2.imwrite(str(tmp_path / "p2_still.png"), pattern(2, 140)[20:126])
    shifts = shifts_of(dev_clips(tmp_path, 96)[2])
    # Five rows above and below, four of which are for the interpolation: one and a half steps make one pixel.
    assert np.abs(np.diff(shifts[:, 1])).max() == pytest.approx(1 / 1.5, abs=1 / 32)
