"""Integrating the flow: steps add up, backwards and forwards cancel, and live it is one step."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from generator.flow import integrate, invert
from generator.model import Generator, Integration
from tests.generator.tiny import by_frames, clip_inputs, shaken, tiny_generator


def swirl(z: Tensor, s: float) -> Tensor:
    """A smooth velocity that depends on place and time: rotation, slower towards the end."""
    return (0.5 + 0.5 * s) * torch.stack([-z[:, 1], z[:, 0]], dim=1)


@pytest.fixture
def start() -> Tensor:
    torch.manual_seed(1)
    return torch.randn(2, 2, 3, 3)


@pytest.mark.parametrize("steps", [1, 2, 8])
def test_a_constant_velocity_needs_one_step(start: Tensor, steps: int) -> None:
    velocity = torch.ones_like(start)
    torch.testing.assert_close(integrate(lambda z, s: velocity, start, steps), start - 1)
    torch.testing.assert_close(integrate(lambda z, s: velocity, start, steps, 0.5), start - 0.5)
    torch.testing.assert_close(invert(lambda z, s: velocity, start, steps), start + 1)


def test_time_runs_from_the_degraded_end_to_the_restored_one_and_back(start: Tensor) -> None:
    seen: list[float] = []

    def velocity(z: Tensor, s: float) -> Tensor:
        seen.append(s)
        return torch.zeros_like(z)

    integrate(velocity, start, 4)
    assert seen == [1.0, 0.75, 0.5, 0.25]
    seen.clear()
    invert(velocity, start, 4)
    assert seen == [0.25, 0.5, 0.75, 1.0]


def test_backwards_and_forwards_comes_home_the_closer_the_more_steps(start: Tensor) -> None:
    there_and_back = [integrate(swirl, invert(swirl, start, n), n) for n in (1, 4, 16, 64)]
    errors = [float((z - start).norm() / start.norm()) for z in there_and_back]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.02 < errors[0]


def test_more_steps_converge(start: Tensor) -> None:
    exact = integrate(swirl, start, 1024)
    errors = [float((integrate(swirl, start, n) - exact).norm()) for n in (1, 4, 16)]
    assert errors[0] > 3 * errors[1] > 9 * errors[2]


@pytest.fixture(scope="module")
def generator() -> Generator:
    return shaken(tiny_generator())


@torch.no_grad()
def test_live_is_one_step(generator: Generator) -> None:
    clip = clip_inputs(frames=3)
    live = generator.clip(clip)
    assert torch.equal(live.change_y, generator.clip(clip, Integration(1)).change_y)
    assert torch.equal(live.change_y, torch.cat([out.change_y for out in by_frames(generator, clip)]))


@torch.no_grad()
@pytest.mark.parametrize("way", [Integration(4), Integration(1, invert=True), Integration(4, invert=True)])
def test_other_ways_make_another_picture_and_keep_the_promises(generator: Generator, way: Integration) -> None:
    clip = clip_inputs(frames=3)
    out = generator.clip(clip, way)
    assert out.change_y.isfinite().all()
    assert (out.change_y - generator.clip(clip).change_y).abs().max() > 1e-4
    assert torch.equal(out.change_y, generator.clip(clip, way).change_y)
    nothing = generator.clip(replace(clip, strength=torch.zeros_like(clip.strength)), way)
    assert not nothing.change_y.any() and not nothing.change_uv.any()
    assert not tiny_generator().clip(clip, way).change_y.any()


@torch.no_grad()
def test_the_velocity_is_told_the_time(generator: Generator) -> None:
    one, other = (generator._condition(torch.ones(1, 7), s) for s in (0.0, 1.0))
    assert one is not None and other is not None and not torch.allclose(one, other, atol=1e-3)


def test_training_compares_velocities_along_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generator.model.PATH_SHARE", 1.0)
    trained = shaken(tiny_generator()).train()
    clip = clip_inputs(frames=2)
    bend = trained.clip(clip).bend
    assert bend is not None and bend.abs().max() > 0
    assert trained.eval().clip(clip).bend is None
