"""What training minimises; it needs no downloaded network. Planes are in units of the full 8-bit range."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from generator.codebook import Lookup
from generator.model import Frame, Generator, Output
from stream.face.regions import REGION_NAMES

EPSILON = 1e-2
"""Where the Charbonnier loss turns from square to absolute."""
FLOOR = 2e-6
"""Mean squared error below which nothing is gained any more: a third of an 8-bit step, 57 dB."""
REGION_WEIGHT, EDGE_WEIGHT = 0.9, 0.1
"""How much more counts what the damage hid from the region prior, and from the edges (CUGD)."""
STILL = 0.05
"""Pixels a frame up to which a place stands still."""
PULSE_CELL = 32
"""Edge in pixels of the cells whose light must not pump."""
FACE_SWITCH = 0.5
"""Share of the clips that are judged on the face alone (VividFace)."""
SMALLEST_FACE = 0.05
"""Share of a crop that a face must fill for that."""


@dataclass(frozen=True, slots=True)
class Emphasis:
    """What the loss is to look at."""

    auto_share: float = 0.0
    """Share of the clips that run under the generator's own prompt estimate"""
    face_switch: float = FACE_SWITCH
    """Share of the clips that are judged on the face alone, where there is one"""
    semantic: float = 1.0
    """How much what the damage hid counts more; 0: all places alike"""


REST = REGION_NAMES.index("rest")


def losses(
    generator: Generator, teacher: Generator, batch: dict[str, Tensor], emphasis: Emphasis
) -> dict[str, Tensor]:
    """The weighted terms of the loss of a batch of clips; their sum is minimised.

    Errors count in decibels, clip by clip: a tenth of darkness' error taken away is worth as much as a tenth of blur's,
    and to go on pays however little is left. (Source: the PSNR loss of Chen et al., Simple Baselines for Image
    Restoration, 2022.)

    Args:
        generator: The one that is trained.
        teacher: Its slow average: the latent that the flow aims at is the teacher's, because it stands still.
        batch: As `Samples` makes it, [B,T,...].
        emphasis: Which clips and places count, and how much.
    """
    return losses_of(restored(generator, batch, emphasis), teacher, batch, emphasis)


def restored(generator: Generator, batch: dict[str, Tensor], emphasis: Emphasis) -> Output:
    """What the generator makes of the clips, some of them under its own prompt estimate."""
    y = batch["y"]
    clip = y.shape[:2]
    ones = y.new_ones(*clip, 1)
    auto = (torch.rand(clip[0], 1, 1, device=y.device) < emphasis.auto_share).float().expand(*clip, 1)
    return generator.clip(Frame(y, batch["uv"], batch["regions"], batch["prompt"], ones, auto))


def losses_of(out: Output, teacher: Generator, batch: dict[str, Tensor], emphasis: Emphasis) -> dict[str, Tensor]:
    """The terms of what was made of a batch; see `losses`."""
    y, uv = batch["y"], batch["uv"]
    clip = y.shape[:2]
    error_y = y + out.change_y.reshape(y.shape) - batch["clean_y"]
    error_uv = uv + out.change_uv.reshape(uv.shape) - batch["clean_uv"]
    weight = pixel_weights(batch, emphasis)
    weight_uv = functional.avg_pool2d(weight.flatten(0, 1), 2).reshape(*clip, 1, *uv.shape[3:])
    with torch.no_grad():
        target = teacher.encode(batch["clean_y"].flatten(0, 1), batch["clean_uv"].flatten(0, 1)).latent
    # Relative to the latent's own size: the flow must not win by making all latents small, or lose itself as they grow.
    scale = target.square().mean().sqrt() + EPSILON
    terms = {
        "pixel": 0.01 * decibels(error_y, weight) + 0.004 * decibels(error_uv, weight_uv),
        "gradient": 0.001 * (decibels(error_y.diff(dim=-1)) + decibels(error_y.diff(dim=-2))),
        "path": 0.005 * charbonnier(out.bend / scale) if out.bend is not None else y.new_zeros(()),
        "flow": 0.01 * charbonnier((out.velocity - (out.z_lq.detach() - target)) / scale),
        "latent": 1e-4 * out.z_lq.square().mean(),
        "prompt": 0.02 * functional.mse_loss(out.prompt_hat, batch["prompt"].flatten(0, 1)),
        "codes": 0.01 * (code_loss(out.spatial) + code_loss(out.temporal)).to(y.device),
    }
    if clip[1] > 1:
        # What is wrong must at least not flicker: neither at its place, nor along its way.
        terms["temporal"] = 0.001 * decibels(error_y.diff(dim=1), weight[:, 1:])
        terms["pulse"] = 0.0005 * decibels(pulse(error_y))
        if "flow" in batch:
            followed, seen = change_along(error_y, batch["flow"], batch["visible"])
            terms["warp"] = 0.0015 * decibels(followed, seen * weight[:, 1:])
    return terms


def change_along(error: Tensor, flow: Tensor, visible: Tensor) -> tuple[Tensor, Tensor]:
    """How errors change along the known motion, and what each pixel counts; still ones count half as much again.

    The warping error of Lai et al. (Learning Blind Video Temporal Consistency, 2018), of errors instead of pictures:
    what looking up between the pixels blurs is the same in both, and so falls out.

    Args:
        error: [B,T,1,H,W]
        flow: [B,T-1,2,H,W] in pixels, x and y: what is at p in frame t+1 is at p + flow[t](p) in frame t.
        visible: [B,T-1,1,H,W], 1 where that is so.

    Returns:
        Both [B,T-1,1,H,W].
    """
    height, width = error.shape[3:]
    flat = flow.flatten(0, 1)
    columns = torch.arange(width, device=flow.device) + flat[:, 0]
    rows = torch.arange(height, device=flow.device)[:, None] + flat[:, 1]
    place = torch.stack([(2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1], dim=-1)
    came = functional.grid_sample(error[:, :-1].flatten(0, 1), place, padding_mode="border", align_corners=False)
    still = (flow.square().sum(dim=2, keepdim=True) < STILL**2).to(error.dtype)
    return error[:, 1:] - came.reshape(flow[:, :, :1].shape), visible * (1.0 + 0.5 * still)


def pulse(error: Tensor) -> Tensor:
    """The error's means over cells of a clip [B,T,1,H,W], less those over time: light that pumps, [B,T,1,h,w]."""
    cells = functional.avg_pool2d(error.flatten(0, 1), PULSE_CELL).reshape(*error.shape[:3], -1, 1)
    return cells - cells.mean(dim=1, keepdim=True)


def decibels(error: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean over frames of the (weighted) mean squared error of each, [B,T,C,H,W], in dB over the least that counts."""
    squares = error.square()
    if weight is None:
        mean = squares.mean(dim=(2, 3, 4))
    else:
        mean = (squares * weight).mean(dim=(2, 3, 4)) / (weight.mean(dim=(2, 3, 4)) + EPSILON)
    return 10 * torch.log10(1.0 + mean / FLOOR).mean()


@torch.no_grad()
def pixel_weights(batch: dict[str, Tensor], emphasis: Emphasis) -> Tensor:
    """What each pixel counts, [B,T,1,H,W].

    Sources: CUGD (2026), semantic context: W = 1 + 0.9 abs(S_low - S_high) + 0.1 abs(E_low - E_high), S here the face's
    regions as the tracker gave them and as they are, E the luma's gradients, 0 to 1; VividFace (2025), face switch.
    """
    y, clean = batch["y"], batch["clean_y"]
    hidden = (batch["regions"] - batch["clean_regions"]).abs()
    hidden = hidden.sum(dim=2, keepdim=True) - hidden[:, :, REST : REST + 1]
    face = batch["clean_regions"].sum(dim=2, keepdim=True) - batch["clean_regions"][:, :, REST : REST + 1]
    hidden_edges = (_edges(y) - _edges(clean)).abs()
    weight = REGION_WEIGHT * _to_pixels(hidden.clamp(0, 1), y) + EDGE_WEIGHT * hidden_edges
    weight = 1.0 + emphasis.semantic * weight
    seen = face.mean(dim=(1, 2, 3, 4), keepdim=True) > SMALLEST_FACE
    switched = seen & (torch.rand(len(y), 1, 1, 1, 1, device=y.device) < emphasis.face_switch)
    return torch.where(switched, weight * _to_pixels(face.clamp(0, 1), y), weight)


def _to_pixels(cells: Tensor, like: Tensor) -> Tensor:
    factor = like.shape[-1] // cells.shape[-1]
    return cells.repeat_interleave(factor, dim=-2).repeat_interleave(factor, dim=-1)


def _edges(y: Tensor) -> Tensor:
    """Gradient of planes [B,T,1,H,W] in 0..1; a step of a quarter of the range is 1."""
    across = functional.pad(y.diff(dim=-1), (0, 1)).abs()
    down = functional.pad(y.diff(dim=-2), (0, 0, 0, 1)).abs()
    return (4.0 * (across + down)).clamp(0, 1)


def estimate_loss(generator: Generator, batch: dict[str, Tensor]) -> Tensor:
    """The prompt estimate's share of the loss by itself; gradients reach the estimate alone."""
    with torch.no_grad():
        features = generator.encode(batch["y"].flatten(0, 1), batch["uv"].flatten(0, 1))
    return 0.02 * functional.mse_loss(generator.estimated(features), batch["prompt"].flatten(0, 1))


def code_loss(lookup: Lookup | None) -> Tensor:
    """Commitment, and an even use of the entries."""
    return torch.zeros(()) if lookup is None else lookup.commitment + 0.1 * lookup.disuse()


def charbonnier(difference: Tensor) -> Tensor:
    """Mean of sqrt(d^2 + eps^2) - eps (Charbonnier et al., 1994)."""
    return (torch.sqrt(difference * difference + EPSILON**2) - EPSILON).mean()
