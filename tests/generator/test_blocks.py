"""Convolution blocks: what their normalisation does in training is what it does in a call."""

from __future__ import annotations

import torch
from torch import nn

from generator.blocks import SETTLED, BatchRenorm


def settled(channels: int) -> BatchRenorm:
    """A normalisation whose running statistics are trusted."""
    norm = BatchRenorm(channels)
    assert norm.running_mean is not None and norm.running_var is not None and norm.num_batches_tracked is not None
    norm.running_mean.fill_(0.2)
    norm.running_var.fill_(1.5)
    norm.num_batches_tracked.fill_(SETTLED)
    nn.init.constant_(norm.weight, 0.7)
    nn.init.constant_(norm.bias, -0.1)
    return norm


def test_settled_it_gives_in_training_what_a_call_gets() -> None:
    # Guards against a generator that only works under the statistics of its own batch.
    torch.manual_seed(1)
    x = torch.randn(4, 3, 8, 8) * 1.3 + 0.5
    norm = settled(3)
    live = norm.eval()(x)
    assert torch.allclose(norm.train()(x), live, atol=1e-5)


def test_its_gradient_does_not_pass_a_common_scale_of_the_batch() -> None:
    # Guards against training that runs away by scaling features up, which frozen statistics let it do.
    torch.manual_seed(1)
    scale = torch.ones((), requires_grad=True)
    out = settled(3).train()(scale * torch.randn(4, 3, 8, 8))
    (out * torch.randn_like(out)).sum().backward()
    assert scale.grad is not None and abs(float(scale.grad)) < 1e-3


def test_new_it_is_batch_normalisation() -> None:
    torch.manual_seed(1)
    x = torch.randn(4, 3, 8, 8) * 5 + 2
    assert torch.allclose(BatchRenorm(3).train()(x), nn.BatchNorm2d(3).train()(x), atol=1e-5)


def test_running_statistics_come_to_those_of_the_data() -> None:
    torch.manual_seed(1)
    norm = BatchRenorm(2).train()
    for _ in range(20):
        norm(torch.randn(8, 2, 16, 16) * 3 + 1)
    assert norm.running_mean is not None and norm.running_var is not None
    assert torch.allclose(norm.running_mean, torch.ones(2), atol=0.1)
    assert torch.allclose(norm.running_var, torch.full((2,), 9.0), atol=0.5)
