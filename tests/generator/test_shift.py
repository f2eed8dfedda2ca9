"""No place is special: a crop shifted by whole tokens, with its state, gives the shifted output.

Attention is over all tokens and convolutions pad at the borders, so a pattern is put amid constant surroundings, so far
from the borders that what they influence never meets what the pattern influences. Then the tokens are the same ones in
another order, before and after the shift, and the outputs must agree but for rounding.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from generator.model import Frame, Generator, Output
from generator.state import State, state_specs
from tests.generator.tiny import TINY, shaken, tiny_generator

EDGE = 672
PATTERN = slice(288, 352)
REACH = 132
"""Luma pixels to which a pixel's influence reaches: patches and 3x3 convolutions on all three grids, there and back."""
INSIDE = slice(PATTERN.start - REACH, PATTERN.stop + REACH)
TOLERANCE = 5e-6


def with_pattern(channels: int, stride: int, background: float) -> Tensor:
    """[1,C,EDGE/stride,EDGE/stride] constant but for random numbers in the middle."""
    plane = torch.full((1, channels, EDGE // stride, EDGE // stride), background)
    inside = slice(PATTERN.start // stride, PATTERN.stop // stride)
    plane[..., inside, inside] = torch.rand_like(plane[..., inside, inside])
    return plane


def shifted(plane: Tensor, stride: int) -> Tensor:
    """One token down and to the right."""
    cells = TINY.token_stride // stride
    return plane.roll((cells, cells), (2, 3))


def inputs() -> tuple[Frame, State]:
    torch.manual_seed(1)
    regions = with_pattern(len(TINY.regions), TINY.latent_stride, 0.0)
    one = torch.ones(1, 1)
    frame = Frame(with_pattern(1, 1, 0.4), with_pattern(2, 2, 0.5), regions, one.expand(1, len(TINY.prompts)) / 2, one)
    background = {"before_y": 0.4, "before_uv": 0.5}
    state = {n: with_pattern(s.channels, s.stride, background.get(n, 0.0)) for n, s in state_specs(TINY).items()}
    return frame, state


def difference(generator: Generator) -> float:
    """Largest difference between the output shifted and the output of what was shifted."""
    frame, state = inputs()
    keep = torch.ones(1, 1)
    regions = shifted(frame.regions, TINY.latent_stride)
    moved = Frame(shifted(frame.y, 1), shifted(frame.uv, 2), regions, frame.prompt, keep)
    strides = {name: spec.stride for name, spec in state_specs(TINY).items()}

    def run(frame: Frame, state: State) -> tuple[Output, State]:
        with torch.no_grad():
            return generator.step(frame, keep, state)

    first, known = run(frame, state)
    second, following = run(moved, {name: shifted(tensor, strides[name]) for name, tensor in state.items()})
    pairs = [(shifted(first.change_y, 1), second.change_y, 1), (shifted(first.change_uv, 2), second.change_uv, 2)]
    pairs += [(shifted(known[name], strides[name]), following[name], strides[name]) for name in known]
    largest = float((first.prompt_hat - second.prompt_hat).abs().max())
    for a, b, stride in pairs:
        inside = slice(-(-INSIDE.start // stride), INSIDE.stop // stride)
        largest = max(largest, float((a - b)[..., inside, inside].abs().max()))
    return largest


def test_a_shift_by_a_token_shifts_the_output() -> None:
    assert difference(shaken(tiny_generator())) < TOLERANCE


@pytest.mark.parametrize("part", ["encoder.coarse", "velocity.blocks.0.attention.key", "decoder.to_fine"])
def test_the_tolerance_would_notice_a_trace_of_position(part: str) -> None:
    generator = shaken(tiny_generator())

    def ramp(module: object, given: object, out: Tensor) -> Tensor:
        return out + 0.1 * torch.linspace(0, 1, out.shape[3])

    handle = generator.get_submodule(part).register_forward_hook(ramp)
    assert difference(generator) > 5 * TOLERANCE
    handle.remove()
