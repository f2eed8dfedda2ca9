"""Fusion and context: who says how, who says where, and nothing before training."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from generator.config import FUSIONS, Fusion
from generator.context import ContextInjection
from generator.fusion import AsymmetricFusion, PooledModulation, TokenAttention
from tests.generator.tiny import shaken_module

ROLES: dict[Fusion, tuple[type, type]] = {
    "asymmetric": (TokenAttention, PooledModulation),
    "symmetric": (TokenAttention, TokenAttention),
    "swapped": (PooledModulation, TokenAttention),
}


def inputs() -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(1)
    return torch.randn(1, 16, 4, 4), torch.randn(1, 8, 4), torch.randn(1, 8, 4)


def test_there_is_a_test_for_every_mode() -> None:
    assert set(ROLES) == set(FUSIONS) - {"off"}


@pytest.mark.parametrize("mode", ROLES)
def test_roles_are_as_the_mode_says(mode: Fusion) -> None:
    fusion = AsymmetricFusion(16, 8, mode, spatial=True, temporal=True)
    assert (type(fusion.spatial), type(fusion.temporal)) == ROLES[mode]
    x, spatial, temporal = inputs()
    assert torch.equal(fusion(x, spatial, temporal), x)
    shaken_module(fusion)
    out = fusion(x, spatial, temporal)
    assert not torch.allclose(out, fusion(x, -spatial, temporal))
    assert not torch.allclose(out, fusion(x, spatial, -temporal))


def test_one_prior_alone_will_do() -> None:
    x, spatial, temporal = inputs()
    for there in ((True, False), (False, True)):
        fusion = shaken_module(AsymmetricFusion(16, 8, "asymmetric", *there))
        assert not torch.allclose(fusion(x, spatial if there[0] else None, temporal if there[1] else None), x)


@torch.no_grad()
def test_pooled_codes_act_everywhere_alike() -> None:
    pooled = shaken_module(PooledModulation(16, 8))
    codes = inputs()[1]
    x = torch.ones(1, 16, 4, 4)
    out = pooled(x, codes)
    assert torch.allclose(out, out[:, :, :1, :1].expand_as(out))
    assert torch.allclose(out, pooled(x, codes.flip(2)))


@torch.no_grad()
def test_codes_that_are_asked_act_where_they_are_asked() -> None:
    asked = shaken_module(TokenAttention(16, 8))
    x, codes, _ = inputs()
    out = asked(x, codes) - x
    # In blocks of 2x2: one answer a token.
    assert torch.allclose(out[..., ::2, ::2], out[..., 1::2, 1::2], atol=1e-6)
    assert not torch.allclose(out[..., 0, 0], out[..., 2, 2], atol=1e-5)


@torch.no_grad()
def test_regions_ask_and_the_picture_answers() -> None:
    torch.manual_seed(1)
    context = ContextInjection(regions=3, edges=8, channels=16, width=8)
    z, regions, edges = torch.randn(1, 16, 4, 4), torch.rand(1, 3, 4, 4), torch.rand(1, 8, 2, 2)
    assert not context(z, regions, edges).any()
    shaken_module(context)
    out = context(z, regions, edges)
    # Other regions in one corner ask anew there; elsewhere the question stays almost the same.
    moved = regions.clone()
    moved[..., :2, :2] = 5 * torch.eye(3)[0][:, None, None]
    change = (context(z, moved, edges) - out).abs()
    assert change[..., :2, :2].mean() > 2 * change[..., 2:, 2:].mean()
    # No region, no tracker: still a number, and the edges still ask.
    lost = context(z, torch.zeros_like(regions), edges)
    assert lost.isfinite().all() and lost.abs().max() > 1e-4
    assert not torch.allclose(lost, context(z, torch.zeros_like(regions), 3 * edges), atol=1e-5)
