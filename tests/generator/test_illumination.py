"""Exposure: a coarse gain that changes slowly and is apart from the detail."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from generator.illumination import BLACK, BRIGHTEST, DARKEST, GREY, RATE, Illumination, illuminate, spread
from tests.generator.tiny import shaken_module

ASKED = torch.ones(1, 1)


@pytest.fixture
def eager() -> Illumination:
    """Wants as much light as there is, everywhere."""
    illumination = shaken_module(Illumination(8, 4))
    with torch.no_grad():
        illumination.out.get_parameter("weight").zero_()
        illumination.out.get_parameter("bias").fill_(9.0)
    return illumination


@torch.no_grad()
def test_it_starts_with_no_gain() -> None:
    z, y, none = torch.randn(1, 8, 4, 4), torch.rand(1, 1), torch.zeros(1, 2, 2, 2)
    assert not Illumination(8, 4)(z, y, ASKED, none, torch.ones(1, 1)).any()


@torch.no_grad()
def test_the_first_frame_may_jump_and_the_next_may_not(eager: Illumination) -> None:
    z, y, gain = torch.randn(1, 8, 4, 4), torch.rand(1, 1), torch.zeros(1, 2, 2, 2)
    torch.testing.assert_close(eager(z, y, ASKED, gain, torch.zeros(1, 1)), torch.full_like(gain, BRIGHTEST))
    for frame in range(1, 4):
        gain = eager(z, y, ASKED, gain, torch.ones(1, 1))
        torch.testing.assert_close(gain, torch.full_like(gain, frame * RATE))
    eager.out.get_parameter("bias").fill_(-9.0)
    after = eager(z, y, ASKED, gain, torch.ones(1, 1))
    torch.testing.assert_close(after, gain - RATE)
    torch.testing.assert_close(eager(z, y, ASKED, gain, torch.zeros(1, 1)), torch.full_like(gain, DARKEST))


@torch.no_grad()
def test_light_that_nobody_asked_for_stays_away_and_goes_slowly(eager: Illumination) -> None:
    z, y, none = torch.randn(1, 8, 4, 4), torch.rand(1, 1), torch.zeros(1, 2, 2, 2)
    assert not eager(z, y, torch.zeros(1, 1), none, torch.zeros(1, 1)).any()
    half = eager(z, y, torch.full((1, 1), 0.5), none, torch.zeros(1, 1))
    torch.testing.assert_close(half, torch.full_like(half, 0.5 * BRIGHTEST))
    torch.testing.assert_close(eager(z, y, torch.zeros(1, 1), half, torch.ones(1, 1)), half - RATE)


@torch.no_grad()
def test_brightness_of_the_whole_crop_has_a_say() -> None:
    illumination = shaken_module(Illumination(8, 4))
    z, none, keep = torch.randn(1, 8, 4, 4), torch.zeros(1, 2, 2, 2), torch.zeros(1, 1)
    dark, bright = (illumination(z, torch.full((1, 1), v), ASKED, none, keep) for v in (0.05, 0.8))
    assert not torch.allclose(dark, bright, atol=1e-3)


def test_at_strength_zero_nothing_changes_and_in_between_the_gain_is_a_power() -> None:
    y, uv = torch.rand(1, 1, 64, 64), torch.rand(1, 2, 32, 32)
    gain = torch.full((1, 2, 2, 2), 0.8)
    for plane in illuminate(y, uv, gain, torch.zeros(1, 1, 1, 1)):
        assert not plane.any()
    for amount in (0.5, 1.0):
        change_y, change_uv = illuminate(y, uv, gain, torch.full((1, 1, 1, 1), amount))
        factor = torch.exp(torch.tensor(0.8 * amount))
        torch.testing.assert_close(y + change_y - BLACK, (y - BLACK) * factor)
        torch.testing.assert_close(uv + change_uv - GREY, (uv - GREY) * factor)


def test_black_and_grey_stay() -> None:
    y, uv = torch.full((1, 1, 64, 64), BLACK), torch.full((1, 2, 32, 32), GREY)
    assert not any(plane.any() for plane in illuminate(y, uv, torch.ones(1, 2, 2, 2), torch.ones(1, 1, 1, 1)))


def test_gains_arespread_as_bilinear_interpolation_does() -> None:
    coarse = torch.randn(2, 1, 3, 5)
    expected = functional.interpolate(coarse, scale_factor=8.0, mode="bilinear", align_corners=False)
    torch.testing.assert_close(spread(coarse, 8), expected, atol=1e-6, rtol=0)


def test_gains_are_spread_where_they_are_and_as_they_are() -> None:
    """Weights made on the CPU would have to be copied in each step, which a CUDA graph cannot record."""
    assert spread(torch.empty(1, 1, 2, 2, device="meta"), 8).device.type == "meta"
    half = torch.randn(1, 1, 3, 5).half()
    assert spread(half, 8).dtype == torch.float16
    torch.testing.assert_close(spread(half, 8).float(), spread(half.float(), 8), atol=5e-3, rtol=0)
