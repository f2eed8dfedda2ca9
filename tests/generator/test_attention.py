"""Attention over frames: each mode asks whom its name says, and who does not resemble has no say."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from generator.attention import CrossFrameAttention, attend, gated_mean, remember, similarity_gate
from generator.config import Attention
from generator.model import Frame, Generator
from generator.state import state_specs
from tests.generator.tiny import TINY, by_frames, clip_inputs, shaken, tiny_generator

ALONE = replace(
    TINY, flow_blocks=1, taps=False, recurrence=False, previous=False, temporal_codes=False, illumination=False
)
"""No memory but the attention's; a second block would see twice as far."""
FRAMES = 6


def generator(mode: Attention) -> Generator:
    return shaken(tiny_generator(replace(ALONE, attention=mode, window=2)))


@torch.no_grad()
def seen_by_last(mode: Attention) -> set[int]:
    """Frames of a clip whose picture makes a difference to the last one's."""
    model, clip = generator(mode), clip_inputs(frames=FRAMES)
    before = model.clip(clip).velocity[-1]
    return {
        index
        for index in range(FRAMES)
        if (model.clip(dimmed(clip, index)).velocity[-1] - before).abs().max() > 1e-7
    }


def dimmed(clip: Frame, index: int) -> Frame:
    """The clip with one frame a little darker: little enough for the similarity gate to stay open."""
    y = clip.y.clone()
    y[:, index] = 0.98 * y[:, index]
    return replace(clip, y=y)


@pytest.mark.parametrize(
    ("mode", "seen"),
    [
        ("off", {5}),
        ("first", {0, 5}),
        ("window", {3, 4, 5}),
        ("ema", {0, 1, 2, 3, 4, 5}),
        ("both_sides", {3, 4, 5}),
    ],
)
def test_each_mode_asks_whom_its_name_says(mode: Attention, seen: set[int]) -> None:
    assert seen_by_last(mode) == seen


@torch.no_grad()
def test_both_sides_sees_what_comes_and_the_window_does_not() -> None:
    clip = clip_inputs(frames=FRAMES)
    cases: tuple[tuple[Attention, set[int]], ...] = (("both_sides", {1, 2, 3}), ("window", {3}))
    for mode, seen in cases:
        model = generator(mode)
        change = model.clip(dimmed(clip, 3)).velocity - model.clip(clip).velocity
        assert {index for index in range(4) if change[index].abs().max() > 1e-7} == seen


@torch.no_grad()
def test_frame_by_frame_both_sides_is_the_window() -> None:
    clip = clip_inputs(frames=3)
    window, both = generator("window"), generator("both_sides")
    both.load_state_dict(window.state_dict())
    first, second = by_frames(window, clip), by_frames(both, clip)
    assert all(torch.equal(a.change_y, b.change_y) for a, b in zip(first, second, strict=True))


def test_as_many_frames_are_cached_as_are_asked() -> None:
    cached: dict[Attention, int] = {"off": 0, "first": 1, "window": 3, "ema": 1, "both_sides": 3}
    for mode, frames in cached.items():
        specs = state_specs(replace(TINY, attention=mode, window=3))
        assert sum(name.startswith("key0") for name in specs) == frames


def test_attend_is_softmax_attention() -> None:
    torch.manual_seed(1)
    query, key, value = (torch.randn(2, 8, n) for n in (5, 7, 7))
    q, k, v = (t.transpose(1, 2) for t in (query, key, value))
    expected = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    torch.testing.assert_close(attend(query, key, value), expected.transpose(1, 2))


def test_the_gate_goes_from_unlike_to_alike() -> None:
    now = torch.tensor([[1.0], [0.0]])[None]
    for degrees, weight in ((0, 1.0), (45, 2 * 0.5**0.5 - 1), (60, 0.0), (90, 0.0), (180, 0.0)):
        angle = torch.deg2rad(torch.tensor(float(degrees)))
        past = 3 * torch.stack([angle.cos(), angle.sin()])[None, :, None]
        assert similarity_gate(now, past).item() == pytest.approx(weight, abs=1e-5)
    assert similarity_gate(now, torch.zeros_like(now)).item() == 0


def test_the_mean_is_over_those_that_resemble_token_by_token() -> None:
    key = torch.tensor([[[1.0, 1.0], [0.0, 0.0]]])
    value = torch.zeros(1, 2, 2)
    # The first token is as it was, the second has moved.
    past = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    mean_key, mean_value = gated_mean((key, value), [(past, torch.full((1, 2, 2), 3.0))] * 2)
    torch.testing.assert_close(mean_key, key)
    torch.testing.assert_close(mean_value, torch.tensor([[[2.0, 0.0], [2.0, 0.0]]]))
    assert gated_mean((key, value), []) == (key, value)


def test_what_is_remembered() -> None:
    def pair(n: float) -> tuple[Tensor, Tensor]:
        return torch.full((1, 2, 3), n), torch.full((1, 2, 3), -n)

    def numbers(mode: Attention, keep: float) -> list[float]:
        window = remember(mode, pair(1), pair(2), [pair(3), pair(4)], torch.full((1, 1, 1), keep))
        assert all(torch.equal(key, -value) for key, value in window)
        return [float(key[0, 0, 0]) for key, _ in window]

    assert numbers("off", 1) == []
    assert numbers("first", 1) == [3] and numbers("first", 0) == [1]
    assert numbers("window", 1) == numbers("both_sides", 1) == [1, 3]
    assert numbers("ema", 1) == [2]


def test_a_fresh_attention_changes_nothing() -> None:
    attention = CrossFrameAttention(8)
    x = torch.randn(1, 8, 4, 4)
    assert torch.equal(attention(x, attention.keys_values(x)), x)
