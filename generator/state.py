"""What the generator carries from frame to frame: one tensor a name, all zero when it remembers nothing."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from generator.attention import KeyValue, remembered
from generator.config import GeneratorConfig
from generator.flow import BlockMemory

State = dict[str, Tensor]
"""Name to [B,C,h,w]"""

BLOCKS = ("key", "value", "tap")
"""How the names begin that belong to the velocity blocks; a number follows."""


@dataclass(frozen=True, slots=True)
class StateSpec:
    """One tensor of the state."""

    channels: int
    stride: int
    """Luma pixels per cell: a crop that moves by so many moves the state by one cell."""


def state_specs(config: GeneratorConfig) -> dict[str, StateSpec]:
    """The tensors that a generator of this configuration carries, in a fixed order."""
    coarse = config.channels[2]
    specs: dict[str, StateSpec] = {}
    for block in range(config.flow_blocks):
        for back in range(remembered(config.attention, config.window)):
            specs[f"key{block}_{back + 1}"] = StateSpec(coarse // 2, config.token_stride)
            specs[f"value{block}_{back + 1}"] = StateSpec(coarse, config.token_stride)
        if config.taps:
            specs[f"tap{block}"] = StateSpec(coarse, config.latent_stride)
    if config.codebooks[1]:
        specs["tokens"] = StateSpec(coarse, config.token_stride)
    if config.recurrence:
        specs["restored"] = StateSpec(coarse, config.latent_stride)
    if config.illumination:
        specs["log_gain"] = StateSpec(2, config.token_stride)
    if config.previous:
        specs["before_y"] = StateSpec(1, 1)
        specs["before_uv"] = StateSpec(2, 2)
        specs["frames"] = StateSpec(1, 2 * config.patch)
    return specs


def initial_state(config: GeneratorConfig, batch: int, height: int, width: int, like: Tensor | None = None) -> State:
    """Zeros for planes of this size; of the device and type of `like`."""
    device, dtype = (None, None) if like is None else (like.device, like.dtype)
    return {
        name: torch.zeros(
            batch, spec.channels, height // spec.stride, width // spec.stride, device=device, dtype=dtype
        )
        for name, spec in state_specs(config).items()
    }


def memories(config: GeneratorConfig, state: State) -> list[BlockMemory]:
    """The blocks' share of the state."""

    def pair(block: int, back: int) -> KeyValue:
        return state[f"key{block}_{back}"].flatten(2), state[f"value{block}_{back}"].flatten(2)

    reach = range(1, 1 + remembered(config.attention, config.window))
    return [
        BlockMemory([pair(block, back) for back in reach], state.get(f"tap{block}"))
        for block in range(config.flow_blocks)
    ]


def stored(fresh: list[BlockMemory], height: int, width: int) -> State:
    """The blocks' share of the next state; `height` and `width` are those of the token grid."""
    state: State = {}
    for block, memory in enumerate(fresh):
        for back, (key, value) in enumerate(memory.window, start=1):
            state[f"key{block}_{back}"] = key.reshape(*key.shape[:2], height, width)
            state[f"value{block}_{back}"] = value.reshape(*value.shape[:2], height, width)
        if memory.features is not None:
            state[f"tap{block}"] = memory.features
    return state
