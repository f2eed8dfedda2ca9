"""The generator with the graph's own inputs and outputs: 8-bit planes, flat states."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from export.fold import FULL
from generator.model import ONE_STEP, Frame, Generator, Integration
from generator.state import state_specs

RESTORED = ("before_y", "before_uv")
"""States that are the planes restored last: 8-bit, as the output is."""


class GraphModule(nn.Module):
    """`Generator.step` as the graph contract has it: planes are of 8 bits, scaling and rounding happen inside."""

    def __init__(self, generator: Generator, size: int, integration: Integration = ONE_STEP) -> None:
        super().__init__()
        self.integration = integration
        self.generator = generator
        self.size = size

    def state_names(self) -> list[str]:
        """Names of the state inputs, in the order of `forward`; outputs carry the prefix `next_`."""
        return list(state_specs(self.generator.config))

    def example_inputs(self, batch: int = 1) -> dict[str, Tensor]:
        """Grey planes, no regions, no prompt, forgotten state."""
        config, size = self.generator.config, self.size
        latent = size // config.latent_stride
        state = self.generator.initial_state(batch, size, size)
        return {
            "y": torch.full((batch, 1, size, size), 128, dtype=torch.uint8),
            "uv": torch.full((batch, 2, size // 2, size // 2), 128, dtype=torch.uint8),
            "regions": torch.zeros(batch, len(config.regions), latent, latent),
            "prompt": torch.zeros(batch, len(config.prompts)),
            "strength": torch.ones(batch, 1),
            "keep": torch.zeros(batch, 1),
            **{name: tensor.to(torch.uint8) if name in RESTORED else tensor for name, tensor in state.items()},
        }

    def forward(
        self, y: Tensor, uv: Tensor, regions: Tensor, prompt: Tensor, strength: Tensor, keep: Tensor, *flat: Tensor
    ) -> tuple[Tensor, ...]:
        """Planes in 0..255 to planes in 0..255, the prompt estimate, and the next states."""
        state, before = dict(zip(self.state_names(), flat, strict=True)), None
        if self.generator.config.previous:
            # Chosen among bytes: a quarter of what it would take among floats.
            known = keep[:, :, None, None] > 0
            last_y, last_uv = (
                torch.where(known, state[n], plane).float() for n, plane in zip(RESTORED, (y, uv), strict=True)
            )
            before = self._scaled(last_y), self._scaled(last_uv)
        y, uv = y.float(), uv.float()
        frame = Frame(self._scaled(y), self._scaled(uv), regions, prompt, strength, before=before)
        out, following = self.generator.step(frame, keep, state, self.integration)
        # The change is added in 8-bit units: where it is zero, the very input comes back.
        scale = FULL / self.generator.full
        changes = (out.change_y, out.change_uv) if scale == 1 else (scale * out.change_y, scale * out.change_uv)
        planes = [_to_bytes(plane + change) for plane, change in zip((y, uv), changes, strict=True)]
        if self.generator.config.previous:
            following |= dict(zip(RESTORED, (plane.clone() for plane in planes), strict=True))
        return (*planes, out.prompt_hat, *following.values())

    def _scaled(self, plane: Tensor) -> Tensor:
        """From 0..255 to the generator's range, which is the same in a folded one."""
        full = self.generator.full
        return plane if full == FULL else plane * (full / FULL)


def _to_bytes(plane: Tensor) -> Tensor:
    return torch.clamp(torch.round(plane), 0.0, 255.0).to(torch.uint8)
