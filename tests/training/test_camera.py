"""A camera's own processing: off means off, and each effect does what it is called."""

from __future__ import annotations

import numpy as np

from tests.training.faces import pattern
from training.camera import Camera, lit, processed, sample_camera

STEADY = [pattern(1, 64).astype(np.float32)] * 6


def noisy(seed: int = 1) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [(np.full((64, 64, 3), 120, np.float32) + rng.normal(0, 12, (64, 64, 3)).astype(np.float32)) for _ in "abcd"]


def test_off_is_off() -> None:
    off = Camera()
    assert all(np.array_equal(a, b) for a, b in zip(processed(lit(STEADY, off), off), STEADY, strict=True))


def test_denoising_leaves_less_noise_and_smears_texture() -> None:
    clean, before = processed(noisy(), Camera(denoise=0.7)), noisy()
    assert clean[-1].std() < 0.6 * before[-1].std()
    # What is left stays where it is for some frames.
    assert np.corrcoef(clean[-1].ravel(), clean[-2].ravel())[0, 1] > 0.05


def test_sharpening_overshoots_beside_an_edge() -> None:
    edge = np.full((32, 32, 3), 60, np.float32)
    edge[:, 16:] = 180
    out = processed([edge], Camera(sharpen=0.8, halo=1.2))[0]
    assert out[16, 16:20].max() > 190 and out[16, 12:16].min() < 50
    assert abs(out[16, 2, 0] - 60) < 0.5


def test_hunting_moves_the_whole_picture_and_flicker_its_rows() -> None:
    hunting = lit(STEADY, Camera(hunting=0.05, hunting_pace=0.6))
    means = np.array([p.mean() for p in hunting])
    assert 0.01 < means.std() / means.mean() < 0.06
    flicker = lit(STEADY, Camera(flicker=0.04, mains_step=1 / 3, bands=2.0))
    rows = flicker[0].mean(axis=(1, 2)) / STEADY[0].mean(axis=(1, 2))
    assert rows.max() > 1.03 and rows.min() < 0.97
    # Light of 50 Hz mains is back where it was after three frames.
    assert np.allclose(flicker[0], flicker[3], atol=1e-2) and not np.allclose(flicker[0], flicker[1], atol=1)


def test_drawn_effects_are_mild() -> None:
    rng = np.random.default_rng(1)
    off = 0
    for camera in (sample_camera(rng) for _ in range(200)):
        light = lit(STEADY, camera)
        assert all(np.abs(p - q).mean() < 0.12 * q.mean() for p, q in zip(light, STEADY, strict=True))
        off += camera.denoise == 0
    assert 80 < off < 160
