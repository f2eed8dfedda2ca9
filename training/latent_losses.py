"""What is minimised before pixels are: clean pictures through the latent and back, and the flow between latents."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from generator.illumination import spread
from generator.model import Frame, Generator
from training.losses import EPSILON, Emphasis, charbonnier, code_loss, decibels, pixel_weights

AT_THE_END = 0.8
"""Share of the clips whose velocity is learned at the degraded end, s = 1, where the one step of a call begins; the
others' anywhere on the path."""


def detail(plane: Tensor, cell: int) -> Tensor:
    """A plane [B,C,H,W] less its smoothed means over cells of so many pixels.

    This is what a decoder is to tell of a clean picture: later it puts out changes of its input, and these are detail,
    light being the gains' business. The means left in would be most of the error, and of the latent.
    """
    return plane - spread(functional.avg_pool2d(plane, cell), cell)


def autoencoder_losses(generator: Generator, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Terms for encoder, decoder and spatial codebook on the clean planes of a batch; the stage shuts the skips.

    Codes learn from the latent and stand beside it, as they do in a call: what is decoded is the latent itself.
    """
    y, uv = (batch[name].flatten(0, 1) for name in ("clean_y", "clean_uv"))
    features = generator.encode(y, uv)
    told_y, told_uv = generator.decoder(features.latent, features, None)
    cell = generator.config.latent_stride
    error_y, error_uv = ((told_y - detail(y, cell))[:, None], (told_uv - detail(uv, cell // 2))[:, None])
    terms = {
        "pixel": 0.01 * decibels(error_y) + 0.004 * decibels(error_uv),
        "gradient": 0.001 * (decibels(error_y.diff(dim=-1)) + decibels(error_y.diff(dim=-2))),
        "latent": 1e-4 * features.latent.square().mean(),
    }
    if generator.codebook is not None:
        spatial, _ = generator.codebook(functional.avg_pool2d(features.latent, 2), None)
        terms["codes"] = 0.01 * code_loss(spatial).to(y.device)
    return terms


def flow_losses(
    generator: Generator, teacher: Generator, batch: dict[str, Tensor], emphasis: Emphasis
) -> dict[str, Tensor]:
    """Terms for the velocity from degraded to clean latents, and for the codes' prediction; nothing is decoded.

    Sources: flow matching with the face switch (VividFace, 2025): z_s = (1-s) z_hq + s z_lq, target z_lq - z_hq; code
    prediction (DVFace, 2026): cross-entropy between the degraded frame's scores and the entry that the clean frame's
    latent is assigned to.

    Args:
        generator: The one that is trained; its encoder is only asked.
        teacher: Its slow average, whose latents and codes of the clean frames are aimed at.
        batch: As `Samples` makes it, [B,T,...]; each frame for itself.
        emphasis: Which clips and places count, and how much.
    """
    y, uv, regions, prompt, clean_y, clean_uv = (
        batch[name].flatten(0, 1) for name in ("y", "uv", "regions", "prompt", "clean_y", "clean_uv")
    )
    ones = y.new_ones(y.shape[0], 1)
    with torch.no_grad():
        features = generator.encode(y, uv)
        target = teacher.encode(clean_y, clean_uv).latent
        weight = pixel_weights(batch, emphasis).flatten(0, 1)
        weight = functional.avg_pool2d(weight, generator.config.latent_stride)
    z_lq = features.latent
    s = torch.where(torch.rand_like(ones) < AT_THE_END, ones, torch.rand_like(ones))
    z = target + s[:, :, None, None] * (z_lq - target)
    velocity, spatial = generator.velocity_at(Frame(y, uv, regions, prompt, ones), features, z, s)
    # Relative to the latent's own size, as when pixels are learned.
    scale = target.square().mean().sqrt() + EPSILON
    missed = charbonnier(weight * (velocity - (z_lq - target)) / scale)
    terms = {"flow": 0.01 * missed / (weight.mean() + EPSILON)}
    if spatial is not None and teacher.codebook is not None:
        with torch.no_grad():
            clean_codes, _ = teacher.codebook(functional.avg_pool2d(target, 2), None)
        assigned = clean_codes.scores.argmax(dim=-1).flatten()
        told = functional.cross_entropy(spatial.scores.flatten(0, 1), assigned)
        # The even use counts as much: the average follows, and with it both would soon agree on one entry.
        terms["codes"] = 0.002 * (told + spatial.disuse())
    return terms
