"""The losses: nothing to learn from a perfect output, something from any other."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from generator.model import Generator
from tests.generator.tiny import TINY, clip_inputs, shaken, tiny_generator
from training.losses import charbonnier, frame_difference, gradient, losses


def batch(noise: float) -> dict[str, Tensor]:
    clip = clip_inputs(clips=2, frames=3)
    return {
        "y": clip.y + noise * torch.randn_like(clip.y),
        "uv": clip.uv + noise * torch.randn_like(clip.uv),
        "clean_y": clip.y,
        "clean_uv": clip.uv,
        "regions": clip.regions,
        "prompt": clip.prompt,
    }


@torch.no_grad()
def terms(noise: float, generator: Generator | None = None) -> dict[str, float]:
    """Of an untrained generator, which gives back its input: a perfect output when that is clean."""
    generator = generator or tiny_generator()
    return {name: float(v) for name, v in losses(generator, generator, batch(noise), 0.5).items()}


def test_a_perfect_output_costs_nothing_but_the_estimate_the_use_of_codes_and_the_size_of_the_latent() -> None:
    assert {name for name, value in terms(0.0).items() if value != 0} == {"prompt", "codes", "latent"}


def test_every_term_sees_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generator.model.PATH_SHARE", 1.0)
    assert all(value > 0 for value in terms(0.1, shaken(tiny_generator()).train()).values())
    assert terms(0.2)["pixel"] > terms(0.02)["pixel"]


def test_codebooks_that_are_off_cost_nothing() -> None:
    assert terms(0.1, tiny_generator(replace(TINY, fusion="off")))["codes"] == 0


def test_a_right_estimate_costs_nothing() -> None:
    generator = tiny_generator()
    bias = generator.estimate.second.get_parameter("bias")
    with torch.no_grad():
        generator.estimate.second.get_parameter("weight").zero_()
        bias.fill_(2.0)
    given = batch(0.0)
    given["prompt"] = torch.sigmoid(bias.detach()).expand_as(given["prompt"])
    assert losses(generator, generator, given, 0.0)["prompt"] == 0


def test_elementary_losses_are_zero_at_zero_and_grow() -> None:
    error = torch.randn(2, 3, 1, 8, 8)
    for loss in (charbonnier, gradient, frame_difference):
        assert loss(torch.zeros_like(error)) == 0
        assert 0 < loss(error) < loss(2 * error)


def test_a_steady_error_does_not_flicker() -> None:
    steady = torch.randn(1, 1, 1, 8, 8).expand(1, 4, 1, 8, 8)
    assert frame_difference(steady) == 0
    assert gradient(torch.ones(1, 1, 8, 8)) == 0
