"""The generator with the graph's own inputs and outputs: 8-bit planes, flat states."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from generator.config import LATENT_STRIDE
from generator.model import Generator, State


class GraphModule(nn.Module):
    """`Generator.step` as the graph contract has it; scaling and rounding to 8 bits happen inside."""

    def __init__(self, generator: Generator, size: int) -> None:
        super().__init__()
        self.generator = generator
        self.size = size

    def state_names(self) -> list[str]:
        """Names of the state inputs, in the order of `forward`; outputs carry the prefix `next_`."""
        config = self.generator.config
        return [
            f"{kind}{block}_{back}"
            for block in range(config.flow_blocks)
            for back in range(1, config.window + 1)
            for kind in ("key", "value")
        ]

    def example_inputs(self, batch: int = 1) -> dict[str, Tensor]:
        """Grey planes, no regions, no prompt, forgotten state."""
        config, size = self.generator.config, self.size
        latent = size // LATENT_STRIDE
        states = [t for block in self.generator.initial_state(batch, size, size) for pair in block for t in pair]
        return {
            "y": torch.full((batch, 1, size, size), 128, dtype=torch.uint8),
            "uv": torch.full((batch, 2, size // 2, size // 2), 128, dtype=torch.uint8),
            "regions": torch.zeros(batch, len(config.regions), latent, latent),
            "prompt": torch.zeros(batch, len(config.prompts)),
            "strength": torch.ones(batch, 1),
            "keep": torch.zeros(batch, 1),
            **dict(zip(self.state_names(), (s.clone() for s in states), strict=True)),
        }

    def forward(
        self, y: Tensor, uv: Tensor, regions: Tensor, prompt: Tensor, strength: Tensor, keep: Tensor, *flat: Tensor
    ) -> tuple[Tensor, ...]:
        """Planes in 0..255 to planes in 0..255, the prompt estimate, and the next states."""
        window = self.generator.config.window
        state: State = [
            [(flat[2 * (block * window + back)], flat[2 * (block * window + back) + 1]) for back in range(window)]
            for block in range(self.generator.config.flow_blocks)
        ]
        y, uv = y.float(), uv.float()
        out, following = self.generator.step(y / 255.0, uv / 255.0, regions, prompt, strength, keep, state)
        # The residual is added in 8-bit units: a zero residual then gives back the very input.
        planes = [_to_bytes(plane + 255.0 * change) for plane, change in ((y, out.change_y), (uv, out.change_uv))]
        return (*planes, out.prompt_hat, *(t for block in following for pair in block for t in pair))


def _to_bytes(plane: Tensor) -> Tensor:
    return torch.clamp(torch.round(plane), 0.0, 255.0).to(torch.uint8)
