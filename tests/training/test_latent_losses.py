"""What is learned on latents, and on clean pictures' way through them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from generator.model import Generator
from tests.generator.tiny import TINY, clip_inputs, frame_of, shaken, tiny_generator
from tests.training.batches import batch
from training.latent_losses import autoencoder_losses, detail, flow_losses
from training.losses import Emphasis

PLAIN = Emphasis(face_switch=0.0, semantic=0.0)


def trained() -> Generator:
    return shaken(tiny_generator())


def test_a_flat_or_evenly_shaded_plane_has_no_detail() -> None:
    across = torch.linspace(0.2, 0.8, 64).expand(1, 1, 64, 64)
    assert detail(across, 16)[..., 16:-16].abs().max() < 1e-6
    spot = across.clone()
    spot[..., 32, 32] += 0.5
    assert detail(spot, 16)[0, 0, 32, 32] == pytest.approx(0.5, abs=0.01)


@torch.no_grad()
def test_the_autoencoder_sees_the_clean_planes_alone() -> None:
    generator = trained()
    clean, noisy = ({n: float(v) for n, v in autoencoder_losses(generator, batch(n, 2)).items()} for n in (0.0, 0.3))
    assert clean == noisy and clean["pixel"] > 0


def test_with_its_skips_shut_a_decoder_hears_of_nothing_but_the_latent() -> None:
    generator = trained().train()
    generator.decoder.shut_skips(1.0)
    clip = batch(0.0, 2)
    features = generator.encode(clip["y"].flatten(0, 1), clip["uv"].flatten(0, 1))
    generator.decoder(features.latent.detach(), features, None)[0].sum().backward()
    gradients = [p.grad for p in generator.encoder.parameters() if p.grad is not None]
    assert all(not gradient.any() for gradient in gradients)


@torch.no_grad()
def test_at_the_degraded_end_the_velocity_is_that_of_a_first_frame() -> None:
    generator, clip = trained(), clip_inputs()
    frame = frame_of(clip, 0)
    out, _ = generator.step(frame, torch.zeros(1, 1), generator.initial_state(1, *frame.y.shape[2:]))
    features = generator.encode(frame.y, frame.uv)
    velocity, codes = generator.velocity_at(frame, features, features.latent, torch.ones(1, 1))
    torch.testing.assert_close(velocity, out.velocity)
    assert codes is not None and out.spatial is not None
    torch.testing.assert_close(codes.scores, out.spatial.scores)
    elsewhere, _ = generator.velocity_at(frame, features, features.latent, torch.zeros(1, 1))
    assert not torch.allclose(elsewhere, velocity)


@torch.no_grad()
def test_an_untrained_velocity_is_right_about_clean_frames_alone() -> None:
    generator = tiny_generator()
    right, wrong = (flow_losses(generator, generator, batch(noise, 2), PLAIN) for noise in (0.0, 0.2))
    assert right["flow"] == 0 < wrong["flow"]
    assert right["codes"] < wrong["codes"]


@torch.no_grad()
def test_what_is_wrong_beside_a_face_does_not_count_when_switched() -> None:
    given = batch(0.0, 2)
    given["y"][..., : 64 // 2] += 0.3 * torch.rand_like(given["y"][..., : 64 // 2])
    generator = tiny_generator()
    regions = torch.zeros_like(given["regions"])
    half = regions.shape[-1] // 2
    terms = []
    for side in (slice(0, half), slice(half, None)):
        regions.zero_()
        regions[:, :, 0, :, side] = 1.0
        shown = {**given, "regions": regions, "clean_regions": regions}
        emphasis = Emphasis(face_switch=1.0, semantic=0.0)
        terms.append(float(flow_losses(generator, generator, shown, emphasis)["flow"]))
    assert terms[1] < 0.5 * terms[0]


def test_the_encoder_gets_no_gradient_from_the_flow() -> None:
    generator, teacher = trained().train(), trained()
    terms = flow_losses(generator, teacher, batch(0.1, 2), PLAIN)
    torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
    learning = {name.split(".")[0] for name, p in generator.named_parameters() if p.grad is not None}
    assert learning == {"velocity", "embedding", "context", "codebook"}


def test_without_codebooks_and_context_there_is_still_a_flow() -> None:
    generator = tiny_generator(replace(TINY, fusion="off", context=False, prompting=False))
    assert flow_losses(generator, generator, batch(0.1, 2), PLAIN).keys() == {"flow"}
    assert "codes" not in autoencoder_losses(generator, batch(0.1, 2))
