"""Calls as training draws them: repeatable, wide, and described by their prompt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.training.faces import pattern
from training.call import Call, happen, sample_call
from training.camera import Camera
from training.codec import Coding
from training.degrade import CLEAN_SHARE, TASKS, Degradation, degrade, to_planes
from training.measures import psnr

FRAMES = [pattern(1, 96)] * 6


def calls(count: int, seed: int = 1) -> list[Call]:
    rng = np.random.default_rng(seed)
    return [sample_call(rng, 6) for _ in range(count)]


def steady(task: str, level: float) -> Call:
    return Call({task: np.full(6, level, np.float32)})


def test_the_seed_decides() -> None:
    for call in calls(30):
        (first, prompts), (second, prompts_again) = (happen(FRAMES, call, np.random.default_rng(2)) for _ in range(2))
        assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
        assert np.array_equal(prompts, prompts_again)
    drawn = [str(call) for call in calls(30)]
    assert drawn == [str(call) for call in calls(30)] and drawn != [str(call) for call in calls(30, seed=2)]


def test_clean_clips_keep_every_bit_and_have_an_empty_prompt() -> None:
    clean = to_planes(FRAMES)
    untouched = 0
    drawn = calls(300)
    for call in drawn:
        planes, prompts = happen(FRAMES, call, np.random.default_rng(2))
        same = all(np.array_equal(a, b) for a, b in zip(planes, clean, strict=True))
        assert same == (not prompts.any())
        assert prompts.shape == (6, len(TASKS)) and prompts.min() >= 0 and prompts.max() <= 1
        untouched += same
    assert untouched / len(drawn) == pytest.approx(CLEAN_SHARE, abs=0.06)


@pytest.mark.parametrize("task", [t for t in TASKS if t != "compression"])
def test_a_level_means_what_it_means_to_validation(task: str) -> None:
    # Guards against training for one scale of strengths and judging on another.
    planes, prompts = happen(FRAMES, steady(task, 0.5), np.random.default_rng(3))
    judged = degrade(FRAMES, Degradation({task: 0.5}), np.random.default_rng(3))
    assert all(np.array_equal(a, b) for a, b in zip(planes, judged, strict=True))
    assert np.allclose(prompts, Degradation({task: 0.5}).prompt())


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_the_prompt_tells_the_compression_that_was_done(codec: str) -> None:
    where = TASKS.index("compression")
    told = []
    for quality in (30.0, 40.0):
        call = Call(coding=Coding(codec, quality=quality, warm_up=4))
        told.append(happen(FRAMES, call, np.random.default_rng(1))[1][:, where].mean())
    assert told[0] == pytest.approx(0.25, abs=0.12) and told[1] == pytest.approx(0.625, abs=0.2)


def test_levels_drift_slowly_and_the_prompt_with_them() -> None:
    drifts = [max(float(np.ptp(v)) for v in call.levels.values()) for call in calls(300) if call.levels]
    assert 0.2 < np.mean(np.array(drifts) > 0.01) < 0.8 and max(drifts) <= 0.3
    call = Call({"noise": np.linspace(0.2, 0.8, 6, dtype=np.float32)})
    (y, _), prompts = happen(FRAMES, call, np.random.default_rng(1))
    off = (y.astype(float) - to_planes(FRAMES)[0]).std(axis=(1, 2, 3))
    assert (np.diff(off) > 0).all()
    assert np.allclose(prompts[:, 0], 0.25 + 0.75 * call.levels["noise"])


def test_what_the_camera_took_away_is_not_asked_for() -> None:
    call = steady("noise", 0.6)
    smeared = replace(call, camera=Camera(denoise=0.7))
    plain, less = (happen(FRAMES, c, np.random.default_rng(1)) for c in (call, smeared))
    assert psnr(less[0], to_planes(FRAMES)) > psnr(plain[0], to_planes(FRAMES))
    assert less[1][0, 0] < plain[1][0, 0]


def test_all_kinds_are_drawn() -> None:
    drawn = calls(1500)
    codings = [call.coding for call in drawn if call.coding]
    assert {c.codec for c in codings} == {"h264", "vp8"}
    assert any(c.rates for c in codings) and any(not c.rates for c in codings)
    assert any(len(set(c.rates)) == 2 for c in codings) and any(c.keys for c in codings)
    assert any(call.factor == 2 for call in drawn) and any(1 < call.factor < 2 for call in drawn)
    assert any(v.max() > 1 for call in drawn for v in call.levels.values())
    assert all({"noise", "low light"} & call.levels.keys() for call in drawn if call.camera != Camera())
    frozen = [call.shown for call in drawn if call.shown]
    assert 0.02 < len(frozen) / len(drawn) < 0.09
    for shown in frozen:
        assert len(shown) == 6 and len(set(shown)) < 6
        assert all(0 <= i <= t for t, i in enumerate(shown)) and list(shown) == sorted(shown)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_short_clips_work(count: int) -> None:
    rng = np.random.default_rng(1)
    for _ in range(60):
        planes, prompts = happen(FRAMES[:count], sample_call(rng, count), rng)
        assert planes[0].shape[0] == len(prompts) == count
