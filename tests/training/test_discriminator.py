"""The discriminator tells apart, and never pulls harder than it is allowed to."""

from __future__ import annotations

import copy

import pytest
import torch

from training.discriminator import Adversary, Discriminator, Planes


def planes(blurred: bool, seed: int) -> Planes:
    torch.manual_seed(seed)
    y, uv = torch.rand(4, 1, 32, 32), torch.rand(4, 2, 16, 16)
    if blurred:
        y = torch.nn.functional.avg_pool2d(y, 3, stride=1, padding=1)
    return y, uv


def adversary() -> Adversary:
    torch.manual_seed(1)
    return Adversary(torch.device("cpu"))


def test_one_score_for_each_8_pixels() -> None:
    scores, features = Discriminator()(planes(False, 1))
    assert scores.shape == (4, 1, 4, 4)
    assert [f.shape[2] for f in features] == [16, 8, 4]


def test_it_learns_to_tell_blurred_planes() -> None:
    judge = adversary()
    losses = [float(judge.learn(planes(False, 2 * i), planes(True, 2 * i + 1))) for i in range(60)]
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])
    with torch.no_grad():
        clean, blurred = (judge.discriminator(planes(b, 1000))[0].mean() for b in (False, True))
    assert clean > blurred


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_its_gradient_at_the_planes_is_the_share_it_was_given(size: float) -> None:
    # Guards against a term that outweighs the picture's truth, or none at all, as the other terms grow or shrink.
    judge, clean, blurred = adversary(), planes(False, 1), planes(True, 1)
    judge.learn(clean, blurred)
    changes = tuple(torch.zeros_like(p).requires_grad_() for p in blurred)
    restored = blurred[0] + changes[0], blurred[1] + changes[1]
    others = size * sum((a - b).square().sum() for a, b in zip(restored, clean, strict=True))
    assert isinstance(others, torch.Tensor)
    own = torch.autograd.grad(others, changes, retain_graph=True)
    term = judge.term(clean, restored, (changes[0], changes[1]), others, 0.05)
    added = torch.autograd.grad(term, changes)
    norms = [float(torch.cat([g.flatten() for g in gradients]).norm()) for gradients in (own, added)]
    assert norms[1] == pytest.approx(0.05 * norms[0], rel=0.02)


def test_following_the_term_makes_planes_look_cleaner() -> None:
    judge, clean = adversary(), planes(False, 1)
    for i in range(40):
        judge.learn(planes(False, 10 + i), planes(True, 100 + i))
    y, uv = planes(True, 1)
    change = torch.zeros_like(y).requires_grad_(), torch.zeros_like(uv).requires_grad_()
    restored = y + change[0], uv + change[1]
    # 1 unit of gradient from the others, none of which is followed here.
    term = judge.term(clean, restored, change, (change[0].sum() + change[1].sum()) / 64.0, 1.0)
    gradients = torch.autograd.grad(term, change)
    with torch.no_grad():
        before = judge.discriminator((y, uv))[0].mean()
        after = judge.discriminator((y - 2.0 * gradients[0], uv - 2.0 * gradients[1]))[0].mean()
    assert after > before


def test_a_step_of_the_generator_leaves_no_gradients_in_it() -> None:
    judge = adversary()
    judge.learn(planes(False, 1), planes(True, 2))
    assert not any(p.requires_grad for p in judge.discriminator.parameters())


def test_it_goes_on_from_its_state() -> None:
    one, other = adversary(), Adversary(torch.device("cpu"))
    one.learn(planes(False, 1), planes(True, 2))
    other.restore(copy.deepcopy(one.state()))
    losses = [float(judge.learn(planes(False, 3), planes(True, 4))) for judge in (one, other)]
    assert losses[0] == losses[1]
    pairs = zip(one.discriminator.parameters(), other.discriminator.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
