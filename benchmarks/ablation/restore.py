"""Runs an arm's generator on the cases of the quality protocol, in torch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.ablation.arms import Arm
from benchmarks.quality.protocol import Case
from generator.encoder import Features
from generator.model import Frame, Generator, Integration
from stream.face.regions import region_maps
from stream.prompt import Weights, follow_estimate, prompt_from_estimate
from stream.tone.haze import weighed
from training.checkpoint import carry_over
from training.degrade import Planar

NOISE_SEED = 5


class NoisyStart(nn.Module):
    """An encoder whose latents carry fresh noise every frame, as a diffusion that starts from noise has it."""

    def __init__(self, encoder: nn.Module, share: float) -> None:
        super().__init__()
        self.encoder, self.share = encoder, share
        self.random = torch.Generator().manual_seed(NOISE_SEED)

    def forward(self, y: Tensor, uv: Tensor) -> Features:
        """As the encoder's own."""
        found: Features = self.encoder(y, uv)
        noise = torch.randn(found.latent.shape, generator=self.random)
        return replace(found, latent=found.latent + self.share * found.latent.std() * noise)


def variant(whole: Generator, arm: Arm) -> tuple[Generator, int]:
    """The arm's generator with the whole one's weights, and how many tensors of it found none there.

    Those keep their start values, with which a part changes nothing: such an arm says something after training only.
    """
    made = Generator(replace(whole.config, **arm.change))
    missing = carry_over(whole.state_dict(), made)
    return made.eval(), len(missing)


def prompts(generator: Generator, arm: Arm, case: Case) -> Weights | None:
    """The arm's weights [P] for a case; None for auto."""
    if arm.prompt == "auto":
        return None
    found = {"right": case.right_prompt, "wrong": case.wrong_prompt}.get(arm.prompt, lambda: None)()
    return np.zeros(len(generator.config.prompts), np.float32) if found is None else found


@torch.no_grad()
def restore(generator: Generator, arm: Arm, case: Case, strength: float = 1.0) -> Planar:
    """The case's clip through the generator, from a forgotten state; it must be square and fit the token grid."""
    encoder = generator.encoder
    if arm.noise:
        generator.encoder = NoisyStart(encoder, arm.noise)  # type: ignore[assignment]
    try:
        return _restore(generator, arm, case, strength)
    finally:
        generator.encoder = encoder


def _restore(generator: Generator, arm: Arm, case: Case, strength: float) -> Planar:
    y, uv = (torch.from_numpy(p.astype(np.float32) / 255) for p in case.bad)
    edge, grid = y.shape[2], y.shape[2] // generator.config.latent_stride
    wanted, known = prompts(generator, arm, case), generator.config.prompts
    nothing = np.zeros(len(generator.config.prompts), np.float32)
    state, keep, average = generator.initial_state(1, edge, edge), torch.zeros(1, 1), None
    changed: tuple[list[Tensor], list[Tensor]] = ([], [])
    for index in range(len(y)):
        points = case.landmarks[index] if arm.regions and case.landmarks is not None else None
        maps = torch.from_numpy(region_maps(points, 0, 0, edge, grid))[None]

        def frame(words: Weights, at: int = index, maps: Tensor = maps) -> Frame:
            here = slice(at, at + 1)
            return Frame(y[here], uv[here], maps, torch.from_numpy(words)[None], torch.full((1, 1), strength))

        if wanted is None and average is None:
            first = generator.step(frame(nothing), keep, state)[0].prompt_hat[0].numpy()
            average = follow_estimate(None, weighed(first, case.bad[0][index, 0], known))
        words = wanted if wanted is not None else prompt_from_estimate(average, known)  # type: ignore[arg-type]
        output, state = generator.step(frame(words), keep, state, Integration(arm.steps, arm.inverted))
        average = follow_estimate(average, weighed(output.prompt_hat[0].numpy(), case.bad[0][index, 0], known))
        keep = torch.ones(1, 1)
        changed[0].append(y[index] + output.change_y[0])
        changed[1].append(uv[index] + output.change_uv[0])
    return _bytes(torch.stack(changed[0])), _bytes(torch.stack(changed[1]))


def _bytes(planes: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray((planes * 255).round().clamp(0, 255).to(torch.uint8).numpy(), np.uint8)
