"""What training minimises; it needs no downloaded network. Planes are in units of the full 8-bit range."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from generator.codebook import Lookup
from generator.model import Frame, Generator

EPSILON = 1e-2
"""Two and a half 8-bit steps: where the Charbonnier loss turns from square to absolute. Much lower, and rounding errors
of one step, which cover most of a blurred or compressed picture, outweigh the edges that can be restored."""

BASE, FLOOR = 0.02, 0.0015
"""A clip whose input is off by `BASE` on average weighs 1. `FLOOR`, a third of an 8-bit step, bounds it for clean
ones."""
POWER = 0.6
"""How far weights even out what tasks are off by: darkness ten times as much as `BASE`, blur half as much. At 1 each
counts by the share of its error that is taken away; yet then darkness, of which most is taken away easily, is never
finished."""


def losses(generator: Generator, teacher: Generator, batch: dict[str, Tensor], auto_share: float) -> dict[str, Tensor]:
    """The weighted terms of the loss of a batch of clips; their sum is minimised.

    Args:
        generator: The one that is trained.
        teacher: Its slow average: the latent that the flow aims at is the teacher's, because it stands still.
        batch: As `Samples` makes it, [B,T,...].
        auto_share: Share of the clips that run under the generator's own prompt estimate.
    """
    y, uv = batch["y"], batch["uv"]
    clip = y.shape[:2]
    ones = torch.ones(*clip, 1)
    auto = (torch.rand(clip[0], 1, 1) < auto_share).float().expand(*clip, 1)
    out = generator.clip(Frame(y, uv, batch["regions"], batch["prompt"], ones, auto))
    off = (y - batch["clean_y"]).abs().mean(dim=(1, 2, 3, 4), keepdim=True)
    weight = (BASE / (FLOOR + off)) ** POWER
    error_y = weight * (y + out.change_y.reshape(y.shape) - batch["clean_y"])
    error_uv = weight * (uv + out.change_uv.reshape(uv.shape) - batch["clean_uv"])
    with torch.no_grad():
        target = teacher.encode(batch["clean_y"].flatten(0, 1), batch["clean_uv"].flatten(0, 1)).latent
    # Relative to the latent's own size: the flow must not win by making all latents small, or lose itself as they grow.
    scale = target.square().mean().sqrt() + EPSILON
    return {
        "pixel": charbonnier(error_y) + 0.5 * charbonnier(error_uv),
        "gradient": 0.2 * gradient(error_y),
        "temporal": 0.5 * frame_difference(error_y),
        "path": 0.005 * charbonnier(out.bend / scale) if out.bend is not None else torch.zeros(()),
        "flow": 0.01 * charbonnier((out.velocity - (out.z_lq.detach() - target)) / scale),
        "latent": 1e-4 * out.z_lq.square().mean(),
        "prompt": 0.02 * functional.mse_loss(out.prompt_hat, batch["prompt"].flatten(0, 1)),
        "codes": 0.001 * (code_loss(out.spatial) + code_loss(out.temporal)),
    }


def estimate_loss(generator: Generator, batch: dict[str, Tensor]) -> Tensor:
    """The prompt estimate's share of the loss by itself; gradients reach the estimate alone.

    Each frame but the first is seen after the clean one before, which stands for the restored one.
    """
    y, uv = batch["y"], batch["uv"]
    last_y, last_uv = (torch.cat([p[:, :1], c[:, :-1]], 1) for p, c in ((y, batch["clean_y"]), (uv, batch["clean_uv"])))
    with torch.no_grad():
        before = (last_y.flatten(0, 1), last_uv.flatten(0, 1)) if generator.config.previous else None
        features = generator.encoder(y.flatten(0, 1), uv.flatten(0, 1), before)
        tokens = functional.avg_pool2d(features.latent, 2)
    return 0.02 * functional.mse_loss(generator.estimate(features.edges, tokens), batch["prompt"].flatten(0, 1))


def code_loss(lookup: Lookup | None) -> Tensor:
    """Commitment, and an even use of the entries."""
    return torch.zeros(()) if lookup is None else lookup.commitment + 0.1 * lookup.disuse()


def charbonnier(difference: Tensor) -> Tensor:
    """Mean of sqrt(d^2 + eps^2) - eps (Charbonnier et al., 1994)."""
    return (torch.sqrt(difference * difference + EPSILON**2) - EPSILON).mean()


def gradient(difference: Tensor) -> Tensor:
    """Charbonnier of the horizontal and vertical gradients of the error [..., H, W]: keeps edges."""
    across = difference[..., :, 1:] - difference[..., :, :-1]
    down = difference[..., 1:, :] - difference[..., :-1, :]
    return charbonnier(across) + charbonnier(down)


def frame_difference(difference: Tensor) -> Tensor:
    """Charbonnier of the error's change [B, T, ...] from frame to frame: what is wrong must at least not flicker."""
    return charbonnier(difference[:, 1:] - difference[:, :-1])
