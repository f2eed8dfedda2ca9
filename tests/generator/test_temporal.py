"""Taps and recurrence: identity at the start, one frame back, and a gain between 0 and 1."""

from __future__ import annotations

import torch

from generator.temporal import Recurrence, TemporalTap
from tests.generator.tiny import shaken_module


@torch.no_grad()
def test_a_fresh_tap_is_the_identity_and_so_is_no_frame_before() -> None:
    tap = TemporalTap(8)
    x, before = torch.randn(1, 8, 4, 4), torch.randn(1, 8, 4, 4)
    assert torch.equal(tap(x, before), x)
    shaken_module(tap)
    assert not torch.allclose(tap(x, before), x)
    assert torch.equal(tap(x, torch.zeros_like(before)), x)


@torch.no_grad()
def test_a_fresh_recurrence_is_the_identity_and_so_is_no_change() -> None:
    recurrence = Recurrence(8)
    z, before = torch.randn(1, 8, 4, 4), torch.randn(1, 8, 4, 4)
    assert torch.equal(recurrence(z, before), z)
    shaken_module(recurrence)
    assert not torch.allclose(recurrence(z, before), z)
    assert torch.equal(recurrence(z, z), z)


@torch.no_grad()
def test_the_gain_moves_a_part_of_the_way_and_steadies_noise() -> None:
    recurrence = Recurrence(4)
    recurrence.mix.get_parameter("weight").data = torch.eye(4)[:, :, None, None]
    torch.manual_seed(1)
    target = torch.randn(1, 4, 8, 8)
    z = target + torch.randn_like(target)
    noise = []
    for _ in range(30):
        fresh = target + torch.randn_like(target)
        following = recurrence(fresh, z)
        share = (following - fresh) / (z - fresh)
        assert share.min() > 0 and share.max() < 1
        z = following
        noise.append(float((z - target).std()))
    assert sum(noise[-10:]) / 10 < 0.9


@torch.no_grad()
def test_the_gain_is_one_a_place() -> None:
    recurrence = shaken_module(Recurrence(4))
    recurrence.mix.get_parameter("weight").data = torch.eye(4)[:, :, None, None]
    z, before = torch.randn(1, 4, 3, 3), torch.randn(1, 4, 3, 3)
    share = (recurrence(z, before) - z) / (before - z)
    torch.testing.assert_close(share, share[:, :1].expand_as(share), atol=1e-4, rtol=0)
    assert share.std() > 1e-3
