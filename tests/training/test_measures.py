"""PSNR, SSIM, sharpness and masks on cases worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stream.face.regions import FACE_OVAL
from training import measures
from training.degrade import Planar


def flat(y: int, u: int = 128, v: int = 128, frames: int = 1, edge: int = 16) -> Planar:
    luma = np.full((frames, 1, edge, edge), y, np.uint8)
    chroma = np.stack([np.full((frames, edge // 2, edge // 2), c, np.uint8) for c in (u, v)], axis=1)
    return luma, chroma


def textured(seed: int = 1) -> Planar:
    rng = np.random.default_rng(seed)
    return rng.integers(60, 120, (2, 1, 32, 32), np.uint8), rng.integers(100, 150, (2, 2, 16, 16), np.uint8)


def test_psnr_counts_every_sample_of_all_planes_alike() -> None:
    # Y is off by 3 everywhere; it has two thirds of the samples: the mean square is 9 * 2 / 3 = 6.
    found = measures.psnr(flat(103), flat(100))
    assert found == pytest.approx(10 * math.log10(255**2 / 6))


def test_psnr_of_equal_planes_is_99() -> None:
    assert measures.psnr(flat(7), flat(7)) == 99.0


def test_psnr_never_says_more_than_for_equal_planes() -> None:
    # One sample of 98304, off by one: 98 dB; of twice as many, 101.
    for edge, expected in ((256, 10 * math.log10(255**2 * 98304)), (512, 99.0)):
        out, clean = flat(100, edge=edge), flat(100, edge=edge)
        out[0][0, 0, 0, 0] = 101
        assert measures.psnr(out, clean) == pytest.approx(expected)


def test_psnr_under_a_mask_sees_only_what_is_in_it() -> None:
    out, clean = flat(100), flat(100)
    out[0][..., :8] = 110
    mask = np.zeros((1, 16, 16), np.bool_)
    mask[..., :8] = True
    # Within: 100 on 128 of 128 + 32 + 32 samples.
    assert measures.psnr_within(out, clean, mask) == pytest.approx(10 * math.log10(255**2 / (100 * 2 / 3)))
    assert measures.psnr_within(out, clean, ~mask) == 99.0
    assert measures.psnr_within(out, clean, np.zeros_like(mask)) is None


def test_exposure_free_psnr_forgives_an_affine_change_of_each_channel() -> None:
    clean = textured()
    out = (clean[0] * 2 + 5, clean[1].copy())
    out[1][:, 0] -= 40
    assert measures.exposure_free_psnr(out, clean) == 99.0
    assert measures.psnr(out, clean) < 20


def test_exposure_free_psnr_does_not_forgive_flicker() -> None:
    # No line makes frames of 90 and 110 out of two of 100.
    steady, flickering = flat(100, frames=2), flat(100, frames=2)
    flickering[0][0], flickering[0][1] = 90, 110
    assert measures.exposure_free_psnr(steady, flickering) == pytest.approx(10 * math.log10(255**2 / (100 * 2 / 3)))


def test_ssim_of_two_flat_pictures_is_the_luminance_term() -> None:
    # (2 * 100 * 110 + C1) / (100² + 110² + C1) with C1 = 2.55²; flat pictures agree in structure.
    c1 = 2.55**2
    assert measures.ssim(flat(110), flat(100)) == pytest.approx((22000 + c1) / (22100 + c1), abs=1e-5)
    assert measures.ssim(textured(), textured()) == pytest.approx(1.0)


def test_sharpness_is_the_share_of_detail_that_is_left() -> None:
    clean = textured()
    assert measures.sharpness(clean, clean) == pytest.approx(1.0)
    assert measures.sharpness(flat(90, frames=2, edge=32), clean) == 0.0
    # Half the contrast is half the sharpness.
    half = np.asarray(60 + (clean[0].astype(int) // 2 * 2 - 60) // 2, np.uint8)
    even = np.asarray(clean[0] // 2 * 2, np.uint8)
    assert measures.sharpness((half, clean[1]), (even, clean[1])) == pytest.approx(0.5)


def test_sharpness_does_not_take_noise_for_detail() -> None:
    """Guards against: a ratio of gradient energies calls a noisy picture sharper than the clean one."""
    rng = np.random.default_rng(5)
    clean = np.kron(rng.integers(60, 160, (4, 1, 16, 16)), np.ones((8, 8))).astype(np.uint8)
    noisy = np.clip(clean + rng.normal(0, 20, clean.shape), 0, 255).astype(np.uint8)
    colours = np.full((4, 2, 64, 64), 128, np.uint8)
    assert measures.sharpness((noisy, colours), (clean, colours)) == pytest.approx(1.0, abs=0.05)


def test_the_face_s_mask_is_what_its_oval_encloses() -> None:
    points = np.zeros((1, 468, 2), np.float32)
    angles = np.linspace(0, 2 * np.pi, len(FACE_OVAL), endpoint=False)
    points[0, list(FACE_OVAL)] = np.stack([32 + 20 * np.cos(angles), 32 + 20 * np.sin(angles)], axis=-1)
    mask = measures.face_masks(points, 64, 64)
    assert mask.shape == (1, 64, 64) and mask[0, 32, 32] and not mask[0, 5, 5]
    assert float(mask.sum()) == pytest.approx(np.pi * 20**2, rel=0.08)
