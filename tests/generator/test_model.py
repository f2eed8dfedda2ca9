"""What the generator promises whatever its weights are."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from generator.config import GeneratorConfig
from generator.model import Generator, Output, State
from tests.generator.tiny import EDGE, TINY, clip_inputs, shaken, tiny_generator


@pytest.fixture(scope="module")
def generator() -> Generator:
    return shaken(tiny_generator())


@torch.no_grad()
def by_frames(generator: Generator, inputs: tuple[Tensor, ...], state: State | None = None) -> list[Output]:
    """A clip of a batch through `step`, one frame after the other; without a state it starts from a forgotten one."""
    y, uv, regions, prompt, strength = inputs
    state = state or generator.initial_state(len(y), EDGE, EDGE)
    out = []
    for t in range(y.shape[1]):
        keep = torch.ones(len(y), 1)
        frame, state = generator.step(y[:, t], uv[:, t], regions[:, t], prompt[:, t], strength[:, t], keep, state)
        out.append(frame)
    return out


def test_untrained_it_changes_nothing() -> None:
    out = tiny_generator().clip(*clip_inputs())
    assert not out.change_y.any() and not out.change_uv.any() and not out.velocity.any()


def test_shaken_weights_change_the_picture(generator: Generator) -> None:
    out = generator.clip(*clip_inputs())
    assert 1e-2 < out.change_y.detach().abs().mean() < 0.3
    assert 1e-2 < out.change_uv.detach().abs().mean() < 0.3
    assert out.velocity.detach().abs().mean() > 1e-2


@pytest.mark.parametrize("off", ["strength", "prompt"])
def test_without_strength_or_prompt_nothing_changes(generator: Generator, off: str) -> None:
    y, uv, regions, prompt, strength = clip_inputs()
    if off == "strength":
        strength = torch.zeros_like(strength)
    else:
        prompt = torch.zeros_like(prompt)
    out = generator.clip(y, uv, regions, prompt, strength)
    assert not out.change_y.any() and not out.change_uv.any()


def test_same_input_and_state_give_the_same_bits(generator: Generator) -> None:
    first, second = (by_frames(generator, clip_inputs()) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a.change_y, b.change_y) and torch.equal(a.change_uv, b.change_uv)
        assert torch.equal(a.prompt_hat, b.prompt_hat)


@torch.no_grad()
def test_frame_by_frame_is_the_clip(generator: Generator) -> None:
    inputs = clip_inputs(clips=2)
    whole = generator.clip(*inputs)
    frames = by_frames(generator, inputs)
    for name in ("change_y", "change_uv", "prompt_hat", "velocity"):
        together = torch.stack([getattr(f, name) for f in frames], dim=1).flatten(0, 1)
        torch.testing.assert_close(together, getattr(whole, name), atol=1e-4, rtol=0)


@torch.no_grad()
def test_the_past_counts_and_the_future_does_not(generator: Generator) -> None:
    inputs = clip_inputs()
    changed = [t.clone() for t in inputs]
    changed[0][:, 3] = 1 - changed[0][:, 3]
    before, after = generator.clip(*inputs), generator.clip(*changed)
    torch.testing.assert_close(before.change_y[:3], after.change_y[:3], atol=1e-6, rtol=0)
    assert not torch.allclose(before.velocity[4], after.velocity[4], atol=1e-5)


@torch.no_grad()
def test_keep_zero_is_a_fresh_state(generator: Generator) -> None:
    y, uv, regions, prompt, strength = (t[:, 0] for t in clip_inputs())
    fresh = generator.initial_state(1, EDGE, EDGE)
    used: State = [[(torch.randn_like(k), torch.randn_like(v)) for k, v in block] for block in fresh]
    results = [generator.step(y, uv, regions, prompt, strength, torch.zeros(1, 1), state)[0] for state in (fresh, used)]
    assert torch.equal(results[0].change_y, results[1].change_y)
    assert torch.equal(results[0].change_uv, results[1].change_uv)


@torch.no_grad()
def test_a_batch_of_two_is_two_singles(generator: Generator) -> None:
    inputs = clip_inputs(clips=2)
    together = by_frames(generator, inputs)
    for clip in range(2):
        alone = by_frames(generator, tuple(t[clip : clip + 1] for t in inputs))
        for a, b in zip(together, alone, strict=True):
            torch.testing.assert_close(a.change_y[clip : clip + 1], b.change_y, atol=1e-5, rtol=0)


@torch.no_grad()
def test_auto_follows_the_estimate(generator: Generator) -> None:
    y, uv, regions, prompt, strength = clip_inputs()
    estimate = generator.clip(y, uv, regions, prompt, strength).prompt_hat
    told = generator.clip(y, uv, regions, estimate[None], strength)
    auto = generator.clip(y, uv, regions, prompt, strength, torch.ones_like(strength))
    assert torch.equal(told.change_y, auto.change_y)


def test_gradients_reach_every_parameter() -> None:
    generator = shaken(tiny_generator())
    out = generator.clip(*clip_inputs())
    parts = (out.change_y, out.change_uv, out.prompt_hat, out.velocity)
    torch.stack([p.square().sum() for p in parts]).sum().backward()  # type: ignore[no-untyped-call]
    without = [n for n, p in generator.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not without


def test_no_window_means_no_state() -> None:
    alone = Generator(GeneratorConfig(channels=(8, 16, 16), window=0, condition=16)).eval()
    y, uv, regions, prompt, strength = (t[:, 0] for t in clip_inputs())
    state = alone.initial_state(1, EDGE, EDGE)
    _, following = alone.step(y, uv, regions, prompt, strength, torch.ones(1, 1), state)
    assert following == state == [[], []]


@pytest.mark.parametrize(
    "sizes", [{"channels": (8, 16)}, {"channels": (8, 16, 20)}, {"flow_blocks": 0}, {"window": -1}]
)
def test_sizes_that_cannot_be_built_are_refused(sizes: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="must be"):
        GeneratorConfig(**sizes)  # type: ignore[arg-type]


def test_state_has_one_entry_per_frame_of_the_window() -> None:
    state = tiny_generator().initial_state(3, EDGE, 2 * EDGE)
    assert [len(block) for block in state] == [TINY.window] * TINY.flow_blocks
    assert state[0][0][0].shape == (3, TINY.channels[2], (EDGE // 32) * (2 * EDGE // 32))
