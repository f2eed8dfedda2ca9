"""What the generator promises whatever its weights are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from generator.config import GeneratorConfig
from generator.model import Generator
from tests.generator.tiny import (
    EDGE,
    TINY,
    altered,
    by_frames,
    clip_inputs,
    doubled,
    frame_of,
    garbage,
    one_of,
    planes,
    shaken,
    tiny_generator,
)


@pytest.fixture(scope="module")
def generator() -> Generator:
    return shaken(tiny_generator())


@torch.no_grad()
def test_untrained_it_changes_nothing() -> None:
    out = tiny_generator().clip(clip_inputs())
    assert not out.change_y.any() and not out.change_uv.any() and not out.velocity.any()


@torch.no_grad()
def test_shaken_weights_change_the_picture(generator: Generator) -> None:
    out = generator.clip(clip_inputs())
    assert 1e-2 < out.change_y.abs().mean() < 0.3
    assert 1e-2 < out.change_uv.abs().mean() < 0.3
    assert out.velocity.abs().mean() > 1e-2


@torch.no_grad()
@pytest.mark.parametrize("off", ["strength", "prompt"])
def test_without_strength_or_prompt_nothing_changes(generator: Generator, off: str) -> None:
    clip = clip_inputs()
    zero: dict[str, Any] = {off: torch.zeros_like(getattr(clip, off))}
    clip = replace(clip, **zero)
    out = generator.clip(clip)
    assert not out.change_y.any() and not out.change_uv.any()


def test_same_input_and_state_give_the_same_bits(generator: Generator) -> None:
    first, second = (by_frames(generator, clip_inputs()) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a.change_y, b.change_y) and torch.equal(a.change_uv, b.change_uv)
        assert torch.equal(a.prompt_hat, b.prompt_hat)


@torch.no_grad()
def test_frame_by_frame_is_the_clip(generator: Generator) -> None:
    clip = clip_inputs(clips=2)
    whole = generator.clip(clip)
    frames = by_frames(generator, clip)
    for name in ("change_y", "change_uv", "prompt_hat", "velocity", "log_gain"):
        together = torch.stack([getattr(f, name) for f in frames], dim=1).flatten(0, 1)
        torch.testing.assert_close(together, getattr(whole, name), atol=1e-4, rtol=0)


@torch.no_grad()
def test_the_past_counts_and_the_future_does_not(generator: Generator) -> None:
    clip = clip_inputs()
    before, after = generator.clip(clip), generator.clip(altered(clip, 3))
    assert torch.equal(before.change_y[:3], after.change_y[:3])
    assert not torch.allclose(before.velocity[4], after.velocity[4], atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("fill", [None, 1e30, float("inf"), float("nan")])
def test_keep_zero_is_a_fresh_start_whatever_was_known(generator: Generator, fill: float | None) -> None:
    clip = clip_inputs(clips=2, frames=3)
    frame = frame_of(clip, 0)
    fresh = generator.initial_state(2, EDGE, EDGE)
    # Only the first of the two forgets.
    keep = torch.tensor([[0.0], [1.0]])
    used = garbage(fresh, fill)
    used = {name: torch.cat([tensor[:1], fresh[name][1:]]) for name, tensor in used.items()}
    (first, state), (second, following) = (generator.step(frame, keep, known) for known in (fresh, used))
    assert all(torch.equal(a, b) for a, b in zip(planes(first), planes(second), strict=True))
    assert state.keys() == following.keys()
    assert all(torch.equal(state[name], following[name]) and state[name].isfinite().all() for name in state)


@torch.no_grad()
def test_a_batch_is_so_many_single_runs(generator: Generator) -> None:
    clip = clip_inputs(clips=3, frames=3)
    together = by_frames(generator, clip)
    for index in range(3):
        alone = by_frames(generator, one_of(clip, index))
        for a, b in zip(together, alone, strict=True):
            torch.testing.assert_close(a.change_y[index : index + 1], b.change_y, atol=1e-5, rtol=0)
            torch.testing.assert_close(a.change_uv[index : index + 1], b.change_uv, atol=1e-5, rtol=0)


@torch.no_grad()
def test_auto_follows_the_estimate(generator: Generator) -> None:
    # A single frame: what is restored under a prompt is what the next estimate sees.
    clip = clip_inputs(frames=1)
    estimate = generator.clip(clip).prompt_hat
    told = generator.clip(replace(clip, prompt=estimate[None]))
    auto = generator.clip(replace(clip, auto=torch.ones_like(clip.strength)))
    assert torch.equal(told.change_y, auto.change_y)


@torch.no_grad()
def test_half_the_strength_is_another_picture(generator: Generator) -> None:
    clip = clip_inputs(frames=1)
    half, whole = (generator.clip(replace(clip, strength=torch.full((1, 1, 1), s))) for s in (0.5, 1.0))
    assert 0.1 < half.change_y.abs().mean() / whole.change_y.abs().mean() < 0.9


def test_gradients_reach_every_parameter() -> None:
    generator = shaken(tiny_generator()).train().double()
    torch.manual_seed(1)
    out = generator.clip(doubled(clip_inputs()))
    parts = [out.change_y, out.change_uv, out.prompt_hat, out.velocity]
    assert out.spatial is not None and out.temporal is not None
    total = torch.stack([p.square().sum() for p in parts]).sum() + out.spatial.commitment + out.temporal.commitment
    total.backward()  # type: ignore[no-untyped-call]
    # What cancels out, such as the bias of a key in a softmax, gets rounding errors of 1e-15 instead.
    without = [n for n, p in generator.named_parameters() if p.grad is None or not p.grad.abs().max() > 1e-9]
    assert not without


@pytest.mark.parametrize(
    "sizes",
    [
        {"channels": (8, 16)},
        {"channels": (8, 16, 20)},
        {"flow_blocks": 0},
        {"middle_blocks": 0},
        {"window": 0},
        {"attention": "sideways"},
        {"fusion": "cold"},
    ],
)
def test_sizes_that_cannot_be_built_are_refused(sizes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        GeneratorConfig(**sizes)  # type: ignore[arg-type]


def test_state_has_a_tensor_for_all_that_is_remembered() -> None:
    state = tiny_generator().initial_state(3, EDGE, 2 * EDGE)
    reach = [f"{kind}{block}_{back}" for block in (0, 1) for back in (1, 2) for kind in ("key", "value")]
    single = ["tap0", "tap1", "tokens", "restored", "log_gain", "before_y", "before_uv", "frames"]
    assert sorted(state) == sorted(reach + single)
    assert state["key0_1"].shape == (3, TINY.channels[2] // 2, EDGE // 32, 2 * EDGE // 32)
    assert state["tap1"].shape == (3, TINY.channels[2], EDGE // 16, 2 * EDGE // 16)
    assert state["before_y"].shape == (3, 1, EDGE, 2 * EDGE)
    assert not any(tensor.any() for tensor in state.values())
