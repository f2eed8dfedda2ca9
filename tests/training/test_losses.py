"""The losses: nothing to learn from a perfect output, something from any other."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from generator.model import Generator
from tests.generator.tiny import TINY, shaken, tiny_generator
from tests.training.batches import batch
from training.losses import Emphasis, change_along, charbonnier, decibels, losses, pixel_weights, pulse

NO_SWITCH, SWITCHED = Emphasis(face_switch=0.0), Emphasis(face_switch=1.0)


@torch.no_grad()
def terms(noise: float, generator: Generator | None = None) -> dict[str, float]:
    """Of an untrained generator, which gives back its input: a perfect output when that is clean."""
    generator = generator or tiny_generator()
    found = losses(generator, generator, batch(noise, 3), Emphasis(auto_share=0.5))
    return {name: float(v) for name, v in found.items()}


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
    given = batch(0.0, 3)
    given["prompt"] = torch.sigmoid(bias.detach()).expand_as(given["prompt"])
    assert losses(generator, generator, given, Emphasis())["prompt"] == 0


def test_elementary_losses_are_zero_at_zero_and_grow() -> None:
    error = torch.randn(2, 3, 1, 8, 8)
    for loss in (charbonnier, decibels):
        assert loss(torch.zeros_like(error)) == 0
        assert 0 < loss(error) < loss(2 * error)


def test_errors_count_in_decibels_whatever_their_size() -> None:
    # Guards against darkness, which is off by ten times as much as blur, being all that a step is about.
    error = torch.full((1, 1, 1, 8, 8), 0.1)
    gains = [decibels(e) - decibels(e / 2) for e in (error, error / 5)]
    assert gains == [pytest.approx(6.02, abs=0.1)] * 2


def test_a_steady_error_does_not_flicker() -> None:
    given = batch(0.0, 3)
    given["y"] = given["clean_y"] + 0.1
    generator = tiny_generator()
    assert losses(generator, generator, given, Emphasis())["temporal"] == 0


def seen_face() -> dict[str, Tensor]:
    """A flat picture whose left half is skin, as the tracker sees it too."""
    given = batch(0.0, 3)
    given["y"], given["clean_y"] = (torch.full_like(given["y"], 0.5) for _ in range(2))
    regions = torch.zeros_like(given["regions"])
    half = regions.shape[-1] // 2
    regions[:, :, 0, :, :half], regions[:, :, -1, :, half:] = 1.0, 1.0
    return {**given, "regions": regions, "clean_regions": regions}


def test_all_pixels_count_alike_where_nothing_is_hidden() -> None:
    assert torch.equal(pixel_weights(seen_face(), NO_SWITCH), torch.ones_like(batch(0.0, 3)["y"]))


def test_a_face_that_the_tracker_lost_and_edges_that_went_count_more() -> None:
    given = seen_face()
    given["regions"] = torch.zeros_like(given["regions"])
    weight = pixel_weights(given, NO_SWITCH)
    half = weight.shape[-1] // 2
    assert torch.allclose(weight[..., :half], torch.tensor(1.9))
    assert torch.allclose(weight[..., half:], torch.tensor(1.0))
    assert torch.equal(pixel_weights(given, replace(NO_SWITCH, semantic=0.0)), torch.ones_like(weight))
    edge = seen_face()
    edge["clean_y"] = edge["clean_y"].clone()
    edge["clean_y"][..., 2:] = 0.9
    assert torch.allclose(pixel_weights(edge, NO_SWITCH)[..., 1], torch.tensor(1.1))


def test_a_switched_clip_is_judged_on_the_face_alone() -> None:
    weight = pixel_weights(seen_face(), SWITCHED)
    half = weight.shape[-1] // 2
    assert weight[..., :half].min() == 1 and weight[..., half:].max() == 0
    faceless = seen_face()
    faceless["clean_regions"] = torch.zeros_like(faceless["regions"])
    assert pixel_weights(faceless, SWITCHED).min() > 0


def test_an_error_that_goes_along_with_the_motion_does_not_change() -> None:
    torch.manual_seed(1)
    wide = torch.randn(1, 1, 16, 24)
    # The picture moves two pixels to the right a frame.
    error = torch.stack([wide[..., 8 - 2 * t : 24 - 2 * t] for t in range(3)], dim=1)
    flow = torch.zeros(1, 2, 2, 16, 16)
    flow[:, :, 0] = -2
    visible = torch.ones(1, 2, 1, 16, 16)
    visible[..., :2] = 0
    change, seen = change_along(error, flow, visible)
    assert (change * seen).abs().max() < 1e-5
    assert (change_along(error, 0 * flow, visible)[0] * visible).abs().max() > 0.5


def test_along_its_way_a_quarter_pixel_is_looked_up_between_pixels() -> None:
    ramp = torch.arange(16.0).expand(1, 1, 1, 16, 16)
    error = torch.cat([ramp, ramp], dim=1)
    flow = torch.zeros(1, 1, 2, 16, 16)
    flow[:, :, 0] = 0.25
    change, seen = change_along(error, flow, torch.ones(1, 1, 1, 16, 16))
    torch.testing.assert_close(change[..., :-1], torch.full_like(change[..., :-1], -0.25), atol=1e-5, rtol=0)
    assert seen.max() == 1.0
    assert change_along(error, 0 * flow, torch.ones(1, 1, 1, 16, 16))[1].min() == 1.5


def test_light_that_pumps_is_told_from_light_that_is_wrong_all_along() -> None:
    steady = torch.full((1, 4, 1, 64, 64), 0.1)
    assert pulse(steady).abs().max() < 1e-6
    pumping = steady * torch.tensor([0.0, 1.0, 0.0, 1.0])[None, :, None, None, None]
    assert pulse(pumping).abs().min() == pytest.approx(0.05, rel=1e-4)


def test_known_motion_is_used_where_there_is_one() -> None:
    given = batch(0.1, 3)
    generator = tiny_generator()
    assert "warp" not in losses(generator, generator, given, Emphasis())
    shape = given["y"].shape
    given["flow"] = torch.zeros(shape[0], shape[1] - 1, 2, *shape[3:])
    given["visible"] = torch.ones(shape[0], shape[1] - 1, 1, *shape[3:])
    with torch.no_grad():
        assert losses(generator, generator, given, Emphasis())["warp"] > 0
