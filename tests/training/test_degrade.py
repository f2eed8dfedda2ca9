"""The degradations: repeatable, honest about what they did, and never idle."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.faces import pattern
from training.degrade import (
    CLEAN_SHARE,
    SINGLE_SHARE,
    TASKS,
    Degradation,
    blur_kernel,
    compress,
    compression,
    compression_level,
    degrade,
    sample_degradation,
    to_planes,
)
from training.measures import psnr

FRAMES = [pattern(1, 96)] * 3


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_each_task_does_damage_and_the_same_for_the_same_seed(task: str, level: float) -> None:
    clean = to_planes(FRAMES)
    first, second = (degrade(FRAMES, Degradation({task: level}), np.random.default_rng(4)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert psnr(first, clean) < 45
    assert [p.shape for p in first] == [p.shape for p in clean]


@pytest.mark.parametrize("task", TASKS)
def test_a_higher_level_does_more_damage(task: str) -> None:
    clean = to_planes(FRAMES)
    weak, strong = (psnr(degrade(FRAMES, Degradation({task: v}), np.random.default_rng(4)), clean) for v in (0.0, 1.0))
    assert strong < weak


def test_another_seed_makes_other_noise() -> None:
    first, second = (degrade(FRAMES, Degradation({"noise": 0.5}), np.random.default_rng(s))[0] for s in (1, 2))
    assert not np.array_equal(first, second)


def test_nothing_to_do_leaves_every_bit() -> None:
    y, uv = degrade(FRAMES, Degradation(), np.random.default_rng(1))
    clean_y, clean_uv = to_planes(FRAMES)
    assert np.array_equal(y, clean_y) and np.array_equal(uv, clean_uv)


def test_prompt_tells_the_levels() -> None:
    prompt = Degradation({"noise": 0.0, "blur": 1.0}).prompt()
    assert dict(zip(TASKS, prompt, strict=True)) == dict.fromkeys(TASKS, 0) | {"noise": 0.25, "blur": 1.0}


@pytest.mark.parametrize("level", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("shrink", [False, True])
def test_a_level_of_compression_is_told_back(level: float, shrink: bool) -> None:
    factor, quality = compression(level, shrink)
    assert compression_level(np.array([quality], np.float32), factor)[0] == pytest.approx(level)


def test_shares_of_what_is_drawn() -> None:
    rng = np.random.default_rng(1)
    drawn = [len(sample_degradation(rng).levels) for _ in range(4000)]
    shares = np.bincount(drawn, minlength=4) / len(drawn)
    assert len(shares) == 4
    assert shares[0] == pytest.approx(CLEAN_SHARE, abs=0.02)
    assert shares[1] == pytest.approx((1 - CLEAN_SHARE) * SINGLE_SHARE, abs=0.03)
    assert all(0 <= v <= 1 for _ in range(100) for v in sample_degradation(rng).levels.values())


def test_blur_keeps_the_brightness() -> None:
    rng = np.random.default_rng(1)
    # Beyond 1 too: benchmarks go there, and a line once did not fit into the kernel.
    for level in np.linspace(0, 1.6, 60):
        kernel = blur_kernel(float(level), rng)
        assert kernel.dtype == np.float32
        assert kernel.sum() == pytest.approx(1, abs=1e-5) and kernel.min() >= 0


@pytest.mark.parametrize("count", [1, 2, 5])
def test_compression_keeps_the_frames_in_order(count: int) -> None:
    y = np.stack([np.full((1, 64, 64), 40 * (i + 1), np.uint8) for i in range(count)])
    uv = np.full((count, 2, 32, 32), 128, np.uint8)
    out_y, out_uv = compress(y, uv, crf=30)
    assert out_y.shape == y.shape and out_uv.shape == uv.shape
    assert np.abs(out_y.mean(axis=(1, 2, 3)) - 40 * np.arange(1, count + 1)).max() < 4


def test_planes_are_limited_range() -> None:
    black, white = (np.full((16, 16, 3), v, np.uint8) for v in (0, 255))
    y, uv = to_planes([black, white])
    assert y[0].max() == 16 and y[1].min() == 235
    assert np.abs(uv.astype(int) - 128).max() <= 1
