"""Skips and prompt: what is let through, what drops out, and what the picture is asked."""

from __future__ import annotations

import pytest
import torch

from generator.decoder import GatedSkip
from generator.prompt import Modulation, PromptEmbedding, PromptEstimate
from tests.generator.tiny import shaken_module


@torch.no_grad()
def test_the_gate_scales_a_skip_channel_by_channel() -> None:
    skip = GatedSkip(3)
    x, other = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    assert torch.equal(skip(x, other), x + other)
    skip.gate[:] = torch.tensor([0.0, 1.0, 2.0])[:, None, None]
    torch.testing.assert_close(skip(x, other), x + other * torch.arange(3.0)[:, None, None])


@torch.no_grad()
def test_whole_skips_drop_out_in_training_only() -> None:
    skip = GatedSkip(1)
    skip.dropout = 0.3
    x, other = torch.zeros(2000, 1, 2, 2), torch.ones(2000, 1, 2, 2)
    torch.manual_seed(1)
    out = skip.train()(x, other)
    assert torch.equal(out, out[:, :, :1, :1].expand_as(out))
    assert out.mean().item() == pytest.approx(0.7, abs=0.05)
    assert torch.equal(skip.eval()(x, other), other)


@torch.no_grad()
def test_a_fresh_modulation_is_the_identity_and_a_trained_one_an_affine_map_per_channel() -> None:
    modulation = Modulation(6, 4)
    x, condition = torch.randn(2, 4, 3, 3), torch.randn(2, 6)
    assert torch.equal(modulation(x, condition), x)
    shaken_module(modulation)
    at_zero, at_one = (modulation(torch.full_like(x, v), condition) for v in (0.0, 1.0))
    torch.testing.assert_close(modulation(x, condition), at_zero + x * (at_one - at_zero), atol=1e-5, rtol=0)
    assert not torch.allclose(at_zero[0], at_zero[1])


@torch.no_grad()
def test_the_embedding_tells_prompts_and_times_apart() -> None:
    embedding = shaken_module(PromptEmbedding(3, 8))
    words = torch.eye(3)
    out = embedding(torch.cat([words, words]), torch.tensor([0.0] * 3 + [1.0] * 3)[:, None])
    distances = torch.cdist(out, out) + torch.eye(6)
    assert distances.min() > 1e-3


@torch.no_grad()
def test_the_estimate_lies_between_zero_and_one_and_sees_fine_detail() -> None:
    estimate = shaken_module(PromptEstimate(edges=8, coarse=4, prompts=3))
    tokens, edges = torch.randn(1, 4, 2, 2), torch.rand(1, 8, 2, 2)
    plain, detailed = estimate(edges, tokens), estimate(10 * edges, tokens)
    assert plain.shape == (1, 3) and 0 < plain.min() and plain.max() < 1
    assert not torch.allclose(plain, detailed, atol=1e-3)
    assert estimate(torch.zeros_like(edges), tokens).isfinite().all()
