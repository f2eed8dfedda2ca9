"""The generator: encoder, priors, one flow step on the latent, decoder; exposure and residual planes.

`step` takes one frame and the state, as a live call does; `clip` takes all frames of a clip, as training does, and is
nothing but steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.accumulation import Accumulation
from generator.attention import KeyValue
from generator.codebook import DualCodebook, Lookup
from generator.config import GeneratorConfig
from generator.context import ContextInjection
from generator.decoder import Decoder
from generator.encoder import Encoder, Features
from generator.flow import BlockMemory, Priors, Velocity, VelocityNet, integrate, invert
from generator.illumination import Illumination, illuminate
from generator.prompt import PromptEmbedding, PromptEstimate
from generator.state import BLOCKS, State, initial_state, memories, state_specs, stored
from generator.temporal import Recurrence

FULL_PROMPT = 0.25
"""Sum of prompt weights from which on the change is let through whole; below it fades, and at 0 nothing changes."""


@dataclass(slots=True)
class Frame:
    """What comes in; in a clip, with an axis of T frames behind the batch."""

    y: Tensor
    """[B,1,H,W] in 0..1"""
    uv: Tensor
    """[B,2,H/2,W/2] in 0..1"""
    regions: Tensor
    """[B,R,H/16,W/16] in 0..1"""
    prompt: Tensor
    """[B,P] in 0..1"""
    strength: Tensor
    """[B,1] in 0..1"""
    auto: Tensor | None = None
    """[B,1] 1 where the generator shall follow its own estimate instead of `prompt` (training)"""
    before: tuple[Tensor, Tensor] | None = None
    """Planes restored last, and where there are none these: for who has chosen already; otherwise the state's"""


@dataclass(slots=True)
class Output:
    """What the generator makes of a frame; of a clip, with the T frames folded into the batch."""

    change_y: Tensor
    """[B,1,H,W], to be added to the Y plane, in units of the full 8-bit range"""
    change_uv: Tensor
    """[B,2,H/2,W/2], likewise for the UV planes"""
    prompt_hat: Tensor
    """[B,P] estimated prompt weights"""
    z_lq: Tensor
    """[B,C,H/16,W/16] the latent of the input"""
    velocity: Tensor
    """[B,C,H/16,W/16] at s = 1: z_hq = z_lq - strength * velocity"""
    log_gain: Tensor | None
    """[B,2,H/32,W/32] of luma and chroma"""
    spatial: Lookup | None
    temporal: Lookup | None
    bend: Tensor | None = None
    """[B,C,H/16,W/16] in training, now and then: by how much the velocity further along the path differs"""


@dataclass(frozen=True, slots=True)
class Integration:
    """How the flow is integrated; live it is always one step."""

    steps: int = 1
    invert: bool = False
    """First backwards from the input without a prompt, then forwards under the prompt"""


ONE_STEP = Integration()

LIGHT = ("low light",)
"""Prompts that ask for another exposure. Haze is a veil, not a gain: it would only pull gains the other way."""
PATH_SHARE = 0.2
"""Share of training steps that also look at the velocity at some s < 1 of the path, which is meant to be straight."""


class Generator(nn.Module):
    """Restores the Y and UV planes of a face crop. Untrained, it is the identity."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        fine, _, coarse = config.channels
        self.encoder = Encoder(config)
        self.estimate = PromptEstimate(fine, coarse, len(config.prompts))
        self.embedding = PromptEmbedding(len(config.prompts), config.condition) if config.prompting else None
        self.codebook = (
            DualCodebook(coarse, config.codes, config.width, *config.codebooks) if any(config.codebooks) else None
        )
        self.context = ContextInjection(len(config.regions), fine, coarse, config.width) if config.context else None
        self.velocity = VelocityNet(config)
        self.recurrence = Recurrence(coarse) if config.recurrence else None
        self.illumination = Illumination(coarse, config.width) if config.illumination else None
        self.decoder = Decoder(config)
        condition = config.condition if config.prompting else None
        self.previous = Accumulation(fine, config.patch, condition) if config.previous else None
        self.full = 1.0
        """What stands for 255 in the planes; an exported graph spares itself the scaling."""
        light = torch.tensor([[float(name in LIGHT)] for name in config.prompts])
        self.light: Tensor
        self.register_buffer("light", light, persistent=False)

    def initial_state(self, batch: int, height: int, width: int) -> State:
        """A state that remembers nothing, for planes of this size; the first step must have `keep` 0 all the same."""
        return initial_state(self.config, batch, height, width, next(self.parameters()))

    def estimated(self, features: Features) -> Tensor:
        """The prompt estimate [B,P]; it depends on nothing but the frame itself."""
        weights: Tensor = self.estimate(features.edges, functional.avg_pool2d(features.latent, 2))
        return weights

    def encode(self, y: Tensor, uv: Tensor) -> Features:
        """Features of planes in 0..1 that nothing went before."""
        features: Features = self.encoder(y, uv)
        return features

    def velocity_at(self, frame: Frame, features: Features, z: Tensor, s: Tensor) -> tuple[Tensor, Lookup | None]:
        """Velocity at any place of the path, of frames that nothing went before; for training on latents alone.

        Args:
            frame: [B,...]
            features: Those of its planes.
            z: [B,C,H/16,W/16]
            s: [B,1] in 0..1, how far along the path z is.

        Returns:
            Velocity [B,C,H/16,W/16], and the spatial codes that were looked up.
        """
        tokens = functional.avg_pool2d(features.latent, 2)
        spatial = temporal = None
        if self.codebook is not None:
            spatial, temporal = self.codebook(tokens, tokens)
        priors = Priors(
            None if self.embedding is None else self.embedding(frame.prompt, s),
            spatial.vectors if spatial else None,
            torch.zeros_like(temporal.vectors) if temporal else None,
        )
        context = self.context(features.latent, frame.regions, features.edges) if self.context is not None else 0.0
        state = self.initial_state(z.shape[0], *frame.y.shape[2:])
        velocity, _ = self.velocity(z + context, priors, memories(self.config, state), torch.zeros_like(s))
        return velocity, spatial

    def step(
        self, frame: Frame, keep: Tensor, state: State, integration: Integration = ONE_STEP
    ) -> tuple[Output, State]:
        """Restore one frame; returns the next state too. `keep` [B,1] of 0 forgets the state."""
        output, state, _ = self._step(frame, keep, state, integration, None)
        return output, state

    def clip(self, clip: Frame, integration: Integration = ONE_STEP) -> Output:
        """Restore a clip, [B,T,...], from a forgotten state. With attention on both sides it is run twice over."""
        frames = [_frame_at(clip, index) for index in range(clip.y.shape[1])]
        outputs, seen = self._pass(frames, integration, None)
        if self.config.attention == "both_sides":
            outputs, _ = self._pass(frames, integration, seen)
        return _folded(outputs)

    def _pass(
        self, frames: list[Frame], integration: Integration, seen: list[list[BlockMemory]] | None
    ) -> tuple[list[Output], list[list[BlockMemory]]]:
        batch, _, height, width = frames[0].y.shape
        state = self.initial_state(batch, height, width)
        outputs, memory = [], []
        for index, frame in enumerate(frames):
            keep = frame.strength.new_full((batch, 1), float(index > 0))
            following = None
            if seen is not None:
                later = seen[index + 1 : index + 1 + self.config.window]
                following = [
                    [pair for blocks in later for pair in blocks[block].present]
                    for block in range(self.config.flow_blocks)
                ]
            output, state, fresh = self._step(frame, keep, state, integration, following)
            outputs.append(output)
            memory.append(fresh)
        return outputs, memory

    def _step(
        self,
        frame: Frame,
        keep: Tensor,
        state: State,
        integration: Integration,
        ahead: list[list[KeyValue]] | None,
    ) -> tuple[Output, State, list[BlockMemory]]:
        known = keep[:, :, None, None] > 0

        def recalled(name: str, otherwise: Tensor | float = 0.0) -> Tensor:
            # Chosen, not multiplied: what is forgotten leaves no trace, were it not even a number.
            return torch.where(known, state[name], otherwise)

        features = self.encoder(frame.y, frame.uv)
        z_lq = features.latent
        tokens = functional.avg_pool2d(z_lq, 2)
        prompt_hat = self.estimate(features.edges, tokens)
        prompt = frame.prompt
        if frame.auto is not None:
            prompt = torch.where(frame.auto > 0, prompt_hat.detach(), prompt)
        spatial = temporal = None
        if self.codebook is not None:
            spatial, temporal = self.codebook(tokens, recalled("tokens", tokens) if "tokens" in state else None)
        if temporal is not None:
            temporal.vectors = torch.where(keep[:, :, None] > 0, temporal.vectors, 0.0)
        context = self.context(z_lq, frame.regions, features.edges) if self.context is not None else 0.0

        memory = memories(self.config, {name: recalled(name) for name in state if name.startswith(BLOCKS)})
        for block, following in zip(memory, ahead or [], strict=False):
            block.ahead = following
        fresh: list[BlockMemory] = []

        def velocity_under(words: Tensor) -> Velocity:
            def velocity(z: Tensor, s: float) -> Tensor:
                priors = Priors(
                    self._condition(words, s),
                    spatial.vectors if spatial else None,
                    temporal.vectors if temporal else None,
                )
                out, remembered = self.velocity(z + context, priors, memory, keep)
                if not fresh:
                    fresh.extend(remembered)
                change: Tensor = out
                return change

            return velocity

        strength = frame.strength[:, :, None, None]
        velocity = velocity_under(prompt)
        first = velocity(z_lq, 1.0)
        bend = None
        if self.training and float(torch.rand(())) < PATH_SHARE:
            s = float(torch.rand(()))
            bend = velocity(z_lq - (1.0 - s) * first.detach(), s) - first.detach()
        if integration == ONE_STEP:
            z_hq = z_lq - strength * first
        else:
            z = z_lq
            if integration.invert:
                # Not a constant: the exporter would write the maps that follow from it into the file.
                z = invert(velocity_under(0.0 * prompt), z, integration.steps)
            z_hq = integrate(velocity, z, integration.steps, strength)
        if self.recurrence is not None:
            z_hq = self.recurrence(z_hq, recalled("restored", z_hq))
        condition = self._condition(prompt, 1.0)
        change_y, change_uv = self.decoder(z_hq, features, condition, frame.y)
        amount = frame.strength * torch.clamp(prompt.sum(dim=1, keepdim=True) / FULL_PROMPT, 0.0, 1.0)
        amount = amount[:, :, None, None]
        change_y, change_uv = amount * change_y, amount * change_uv
        log_gain = None
        if self.illumination is not None:
            asked = torch.clamp(prompt @ self.light / FULL_PROMPT, 0.0, 1.0)
            mean = frame.y.mean(dim=(2, 3)) / self.full
            log_gain = self.illumination(z_hq, mean, asked, recalled("log_gain"), keep)
            light_y, light_uv = illuminate(frame.y, frame.uv, log_gain, amount, self.full)
            change_y, change_uv = change_y + light_y, change_uv + light_uv
        found = stored(fresh, *tokens.shape[2:]) | {"tokens": tokens, "restored": z_hq}
        if self.previous is not None:
            before = frame.before or (recalled("before_y", frame.y), recalled("before_uv", frame.uv))
            now = frame.y + change_y, frame.uv + change_uv
            counted, patches = recalled("frames"), features.patches
            back_y, back_uv, found["frames"] = self.previous(now, before, counted, patches, condition, amount)
            change_y, change_uv = change_y + back_y, change_uv + back_uv
        output = Output(change_y, change_uv, prompt_hat, z_lq, first, log_gain, spatial, temporal, bend)
        return output, self._next(frame, output, found), fresh

    def _condition(self, prompt: Tensor, s: float) -> Tensor | None:
        if self.embedding is None:
            return None
        condition: Tensor = self.embedding(prompt, torch.full_like(prompt[:, :1], s))
        return condition

    def _next(self, frame: Frame, output: Output, found: State) -> State:
        # A copy without a gradient: what was restored is the next frame's input, as noise and blur are.
        found["before_y"] = torch.clamp(frame.y + output.change_y, 0.0, self.full).detach()
        found["before_uv"] = torch.clamp(frame.uv + output.change_uv, 0.0, self.full).detach()
        if output.log_gain is not None:
            found["log_gain"] = output.log_gain
        return {name: found[name] for name in state_specs(self.config)}


def _frame_at(clip: Frame, index: int) -> Frame:
    y, uv, regions, prompt, strength = (
        tensor[:, index] for tensor in (clip.y, clip.uv, clip.regions, clip.prompt, clip.strength)
    )
    return Frame(y, uv, regions, prompt, strength, None if clip.auto is None else clip.auto[:, index])


def _folded(outputs: list[Output]) -> Output:
    """One output with [B,...] of each frame folded into [B*T,...]."""

    def fold(tensors: list[Tensor]) -> Tensor:
        return torch.stack(tensors, dim=1).flatten(0, 1)

    def codes(lookups: list[Lookup | None]) -> Lookup | None:
        there = [lookup for lookup in lookups if lookup is not None]
        if not there:
            return None
        commitment = torch.stack([lookup.commitment for lookup in there]).mean()
        return Lookup(fold([k.vectors for k in there]), fold([k.scores for k in there]), commitment)

    gains = [out.log_gain for out in outputs if out.log_gain is not None]
    bends = [out.bend for out in outputs if out.bend is not None]
    return Output(
        fold([out.change_y for out in outputs]),
        fold([out.change_uv for out in outputs]),
        fold([out.prompt_hat for out in outputs]),
        fold([out.z_lq for out in outputs]),
        fold([out.velocity for out in outputs]),
        fold(gains) if gains else None,
        codes([out.spatial for out in outputs]),
        codes([out.temporal for out in outputs]),
        torch.cat(bends) if bends else None,
    )
