"""A generator small enough for tests, and something to feed it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from generator.config import GeneratorConfig
from generator.model import Frame, Generator, Output
from generator.state import State

TINY = GeneratorConfig(channels=(16, 16, 24), flow_blocks=2, window=2, condition=16, codes=16, width=8)
EDGE = 64

Module = TypeVar("Module", bound=nn.Module)

# Nets this small gain nothing by a second thread, and lose a lot where the cores are busy.
torch.set_num_threads(1)


def tiny_generator(config: GeneratorConfig = TINY, seed: int = 1) -> Generator:
    """Untrained: the identity."""
    torch.manual_seed(seed)
    return Generator(config).eval()


@torch.no_grad()
def shaken(generator: Generator, seed: int = 2) -> Generator:
    """The same generator with every weight moved at random and the statistics to match, as if it had been trained."""
    torch.manual_seed(seed)
    for parameter in generator.parameters():
        parameter.add_(0.05 * torch.randn_like(parameter))
    for head in (generator.decoder.y, generator.decoder.uv):
        head.get_parameter("weight").mul_(2.0)
    if generator.previous is not None:
        # Half open for frames as different as those of these clips.
        generator.previous.openness.fill_(0.9)
        generator.previous.differs.weight.fill_(0.001)
    norms = [m for m in generator.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    generator.train().clip(clip_inputs())
    for norm in norms:
        norm.momentum = 0.1
    return generator.eval()


def clip_inputs(clips: int = 1, frames: int = 5, seed: int = 3, edge: int = EDGE) -> Frame:
    """What `Generator.clip` takes; neighbouring frames resemble each other."""
    torch.manual_seed(seed)
    lead = (clips, frames)
    y = torch.rand(clips, 1, 1, edge, edge) + 0.1 * torch.rand(*lead, 1, edge, edge)
    uv = torch.rand(clips, 1, 2, edge // 2, edge // 2) + 0.1 * torch.rand(*lead, 2, edge // 2, edge // 2)
    regions = torch.rand(*lead, len(TINY.regions), edge // 16, edge // 16)
    prompt = (0.2 + torch.rand(*lead, len(TINY.prompts))).clamp(0, 1)
    return Frame(y / 1.1, uv / 1.1, regions, prompt, torch.ones(*lead, 1))


def frame_of(clip: Frame, index: int) -> Frame:
    """One frame of a clip, [B,...]."""
    return _mapped(clip, lambda tensor: tensor[:, index])


def one_of(clip: Frame, index: int) -> Frame:
    """One clip of a batch of them, [1,T,...]."""
    return _mapped(clip, lambda tensor: tensor[index : index + 1])


def doubled(clip: Frame) -> Frame:
    """The clip in double precision."""
    return _mapped(clip, Tensor.double)


def _mapped(clip: Frame, change: Callable[[Tensor], Tensor]) -> Frame:
    tensors = {field.name: getattr(clip, field.name) for field in fields(Frame)}
    changed: dict[str, Any] = {name: change(tensor) for name, tensor in tensors.items() if tensor is not None}
    return replace(clip, **changed)


def altered(clip: Frame, index: int) -> Frame:
    """The clip with another picture in one frame."""
    y = clip.y.clone()
    y[:, index] = 1 - y[:, index]
    return replace(clip, y=y)


@torch.no_grad()
def by_frames(generator: Generator, clip: Frame, state: State | None = None) -> list[Output]:
    """A clip through `step`, one frame after the other; without a state it starts from a forgotten one."""
    batch, frames, _, height, width = clip.y.shape
    keep = torch.full((batch, 1), float(state is not None))
    state = state or generator.initial_state(batch, height, width)
    outputs = []
    for index in range(frames):
        output, state = generator.step(frame_of(clip, index), keep, state)
        outputs.append(output)
        keep = torch.ones(batch, 1)
    return outputs


def garbage(state: State, fill: float | None = None) -> State:
    """A state of the same shapes with random content, or all of one value."""
    return {
        name: 5 * torch.randn_like(tensor) if fill is None else torch.full_like(tensor, fill)
        for name, tensor in state.items()
    }


def planes(output: Output) -> tuple[Tensor, Tensor]:
    """The changes."""
    return output.change_y, output.change_uv


@torch.no_grad()
def shaken_module(module: Module, amount: float = 0.3) -> Module:
    """The same module with every weight moved at random."""
    torch.manual_seed(4)
    for parameter in module.parameters():
        parameter.add_(amount * torch.randn_like(parameter))
    return module
