"""What was restored last steadies a still picture, and leaves alone what moves."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from generator.accumulation import MOST, Accumulation, Planes
from tests.generator.tiny import shaken_module

ONE = torch.ones(1, 1, 1, 1)
PATCHES = torch.zeros(1, 8, 16, 16)


def opened(condition: int | None = None, patch: int = 4) -> Accumulation:
    accumulation = Accumulation(8, patch, condition)
    accumulation.open()
    return accumulation


def grey(value: float = 0.5) -> Planes:
    return torch.full((1, 1, 64, 64), value), torch.full((1, 2, 32, 32), value)


def step(accumulation: Accumulation, now: Planes, before: Planes, frames: Tensor) -> tuple[Planes, Tensor]:
    change_y, change_uv, following = accumulation(now, before, frames, PATCHES, None, ONE)
    return (now[0] + change_y, now[1] + change_uv), following


@torch.no_grad()
def test_noise_averages_out_over_a_still_picture() -> None:
    torch.manual_seed(1)
    accumulation, frames = opened(), torch.zeros(1, 1, 8, 8)
    before, errors = grey(), []
    for _ in range(8):
        y, uv = grey()
        before, frames = step(accumulation, (y + 0.01 * torch.randn_like(y), uv), before, frames)
        errors.append(float((before[0] - 0.5).std()))
    assert errors[0] == pytest.approx(0.01, rel=0.05)
    # The mean of n frames has a deviation of 1 / sqrt(n).
    assert errors[7] < 0.5 * errors[0]
    assert all(later < earlier for earlier, later in zip(errors[:3], errors[1:4], strict=True))


@torch.no_grad()
def test_where_the_picture_changes_nothing_is_left_of_the_frame_before_and_the_count_starts_anew() -> None:
    now, before = grey(), grey()
    now[0][..., 32:] += 0.3
    (y, uv), frames = step(opened(), now, before, torch.full((1, 1, 8, 8), 3.0))
    assert torch.equal(y, now[0]) and torch.equal(uv, now[1])
    assert frames[..., 5:].max() == 1 and frames[..., :3].min() > 3


@torch.no_grad()
def test_colour_alone_counts_too() -> None:
    now, before = grey(), grey()
    now[1][:, 0] += 0.2
    (_, uv), frames = step(opened(), now, before, torch.full((1, 1, 8, 8), 3.0))
    assert torch.equal(uv, now[1]) and frames.max() == 1


@torch.no_grad()
def test_the_count_ends_at_the_most() -> None:
    _, frames = step(opened(), grey(), grey(), torch.full((1, 1, 8, 8), MOST))
    assert frames.max() == pytest.approx(MOST, abs=0.2) and frames.max() <= MOST


@torch.no_grad()
def test_closed_or_forgotten_it_changes_nothing() -> None:
    now, before = grey(0.5), grey(0.505)
    (y, _), _ = step(Accumulation(8, 4, None), now, before, torch.full((1, 1, 8, 8), 3.0))
    assert torch.equal(y, now[0])
    (y, _), frames = step(opened(), now, before, torch.zeros(1, 1, 8, 8))
    assert torch.equal(y, now[0]) and torch.equal(frames, torch.ones_like(frames))


@torch.no_grad()
def test_more_detail_bears_more_difference() -> None:
    now, before, frames = grey(0.52), grey(0.5), torch.full((1, 1, 8, 8), 3.0)
    back = [opened()(now, before, frames, PATCHES + detail, None, ONE)[0].abs().mean() for detail in (0.0, 3.0)]
    assert back[1] > back[0] > 0


@torch.no_grad()
def test_the_prompt_has_a_say_once_it_is_trained() -> None:
    now, before, frames = grey(0.51), grey(0.5), torch.full((1, 1, 8, 8), 3.0)
    conditions = torch.zeros(1, 4), torch.ones(1, 4)
    fresh = [opened(4)(now, before, frames, PATCHES, c, ONE)[0] for c in conditions]
    assert torch.equal(*fresh)
    trained = shaken_module(opened(4))
    assert not torch.equal(*(trained(now, before, frames, PATCHES, c, ONE)[0] for c in conditions))


def test_opening_it_twice_does_not_undo_what_was_learned() -> None:
    accumulation = opened()
    accumulation.openness.data.fill_(0.4)
    accumulation.open()
    assert float(accumulation.openness.detach()) == pytest.approx(0.4)


@pytest.mark.parametrize("patch", [2, 4, 8])
def test_it_can_be_built_for_every_patch(patch: int) -> None:
    grid = 64 // patch
    accumulation = opened(patch=patch)
    change, _, frames = accumulation(
        grey(), grey(0.49), torch.ones(1, 1, grid // 2, grid // 2), torch.zeros(1, 8, grid, grid), None, ONE
    )
    assert change.min() < 0 and frames.shape == (1, 1, grid // 2, grid // 2)
