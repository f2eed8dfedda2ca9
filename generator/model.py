"""The generator: encoder, one flow step on the latent, decoder, residual planes.

Two ways through the same weights: `step` takes one frame and the cached state, as a live call does; `clip` takes all
frames of a clip at once, as training does. Both give the same result.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.blocks import Encoder
from generator.config import LATENT_STRIDE, GeneratorConfig
from generator.decoder import Decoder
from generator.flow import KeyValue, VelocityNet, Window
from generator.prompt import PromptEmbedding, PromptEstimate

FULL_PROMPT = 0.25
"""Sum of prompt weights from which on the residual is let through whole; below it fades, and at 0 nothing changes."""

State = list[list[KeyValue]]
"""Per flow block, the keys and values [B,C,T] of the last frames, the newest first."""


@dataclass(slots=True)
class Output:
    """What the generator makes of a frame (or of a clip, with T frames folded into the batch)."""

    change_y: Tensor
    """[B,1,H,W], to be added to the Y plane, in units of the full 8-bit range"""
    change_uv: Tensor
    """[B,2,H/2,W/2], likewise for the UV planes"""
    prompt_hat: Tensor
    """[B,P] estimated prompt weights"""
    z_lq: Tensor
    """[B,C,H/16,W/16] the latent of the input"""
    velocity: Tensor
    """[B,C,H/16,W/16] the step from it: z_hq = z_lq - strength * velocity"""


class Generator(nn.Module):
    """Restores the Y and UV planes of a face crop. Untrained, it is the identity."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config.channels)
        self.estimate = PromptEstimate(config.channels[0], config.channels[2], len(config.prompts))
        self.embedding = PromptEmbedding(len(config.prompts), config.condition)
        self.velocity = VelocityNet(config)
        self.decoder = Decoder(config)

    def initial_state(self, batch: int, height: int, width: int) -> State:
        """Zeros: a state that remembers nothing. `height` and `width` are those of the Y plane."""
        tokens = (height // (2 * LATENT_STRIDE)) * (width // (2 * LATENT_STRIDE))
        zero = torch.zeros(batch, self.config.channels[2], tokens)
        return [[(zero, zero) for _ in range(self.config.window)] for _ in range(self.config.flow_blocks)]

    def step(
        self, y: Tensor, uv: Tensor, regions: Tensor, prompt: Tensor, strength: Tensor, keep: Tensor, state: State
    ) -> tuple[Output, State]:
        """Restore one frame and return it with the next state.

        y [B,1,H,W] and uv [B,2,H/2,W/2] in 0..1, regions [B,R,H/16,W/16], prompt [B,P], strength and keep [B,1];
        `keep` = 0 forgets the state.
        """
        keep = keep[:, :, None]
        next_state: State = []

        def window(index: int, now: KeyValue) -> list[KeyValue]:
            past = [(key * keep, value * keep) for key, value in state[index]]
            next_state.append([now, *past[:-1]] if past else [])
            return past

        return self._run(y, uv, regions, prompt, strength, None, window), next_state

    def clip(
        self, y: Tensor, uv: Tensor, regions: Tensor, prompt: Tensor, strength: Tensor, auto: Tensor | None = None
    ) -> Output:
        """A whole clip from a forgotten state: the arguments of `step` with T frames after the batch axis, [B,T,...].

        `auto` [B,T,1] is 1 where the generator shall follow its own prompt estimate instead of `prompt`. The output
        has B*T on its first axis.
        """
        batch, frames = y.shape[:2]

        def window(_index: int, now: KeyValue) -> list[KeyValue]:
            return [(_delayed(now[0], batch, back), _delayed(now[1], batch, back)) for back in range(1, reach + 1)]

        reach = min(self.config.window, frames - 1)
        y, uv, regions, prompt, strength = (t.flatten(0, 1) for t in (y, uv, regions, prompt, strength))
        return self._run(y, uv, regions, prompt, strength, None if auto is None else auto.flatten(0, 1), window)

    def encode(self, y: Tensor, uv: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features of planes in 0..1 on the grids 1/4 and 1/8, and the latent."""
        fine, middle, latent = self.encoder(y - 0.5, uv - 0.5)
        return fine, middle, latent

    def _run(
        self,
        y: Tensor,
        uv: Tensor,
        regions: Tensor,
        prompt: Tensor,
        strength: Tensor,
        auto: Tensor | None,
        window: Window,
    ) -> Output:
        fine, middle, z_lq = self.encode(y, uv)
        prompt_hat = self.estimate(fine, z_lq)
        if auto is not None:
            prompt = torch.where(auto > 0, prompt_hat.detach(), prompt)
        condition = self.embedding(prompt, torch.ones_like(strength))
        velocity = self.velocity(z_lq, regions, condition, window)
        z_hq = z_lq - strength[:, :, None, None] * velocity
        residual_y, residual_uv = self.decoder(z_hq, middle, fine, condition)
        amount = strength * torch.clamp(prompt.sum(dim=1, keepdim=True) / FULL_PROMPT, 0.0, 1.0)
        amount = amount[:, :, None, None]
        return Output(amount * residual_y, amount * residual_uv, prompt_hat, z_lq, velocity)


def _delayed(tokens: Tensor, batch: int, frames: int) -> Tensor:
    """The tokens [B*T,C,N] of `frames` frames ago, zero before the clip's first frame."""
    clip = tokens.reshape(batch, -1, *tokens.shape[1:])
    return functional.pad(clip[:, :-frames], (0, 0, 0, 0, frames, 0)).flatten(0, 1)
