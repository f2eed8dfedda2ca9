"""Multiply-accumulates and parameters of a generator, per part: convolutions and all matrix products, attention's too.

Counted while one step runs, on what is exported; sums, gates, pooling and other work per element is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from export.fold import folded
from export.wrapper import GraphModule
from generator.model import Generator

PARTS = {
    "previous": "previous planes",
    "modulation": "prompt",
    "estimate": "prompt",
    "embedding": "prompt",
    "codebook": "codebooks",
    "fusion": "fusion",
    "context": "context",
    "attention": "attention",
    "tap": "taps",
    "recurrence": "recurrence",
    "illumination": "illumination",
    "sharpening": "sharpening",
    "stem": "stem",
    "encoder": "encoder",
    "decoder": "decoder",
    "velocity": "feed-forward",
}
"""Name of a module to the part that it, and what lies within it, belongs to; the first that fits counts."""
REST = "illumination"
"""What the generator computes outside its modules: the gains spread over the planes."""


@dataclass(slots=True)
class Part:
    """A part's share."""

    name: str
    parameters: int = 0
    macs: int = 0


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own
    """Books what is computed on the module whose turn it is."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.macs: dict[str, int] = {}
        self._running = [""]
        self._hooks = [
            hook
            for name, part in module.named_modules()
            for hook in (
                part.register_forward_pre_hook(lambda *_, name=name: self._running.append(name)),
                part.register_forward_hook(lambda *_: self._done()),
            )
        ]

    def _done(self) -> None:
        self._running.pop()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        flops = flop_registry.get(func.overloadpacket)
        if flops is not None:
            running = self._running[-1]
            self.macs[running] = self.macs.get(running, 0) + flops(*args, **(kwargs or {}), out_val=out) // 2
        return out

    def remove(self) -> None:
        """Leave the module as it was."""
        for hook in self._hooks:
            hook.remove()


@torch.no_grad()
def count_macs(module: nn.Module, *inputs: Tensor) -> dict[str, int]:
    """Path of each module that computes something to its own multiply-accumulates, without those of its children."""
    counter = _Counter(module)
    with counter:
        module(*inputs)
    counter.remove()
    return counter.macs


def part_of(path: str) -> str:
    """The part that a module or parameter of this dotted path belongs to."""
    names = path.split(".")
    return next((part for module, part in PARTS.items() if module in names), REST)


def parts(generator: Generator, size: int) -> list[Part]:
    """The parts of a generator at one crop size, in the order of the data's way."""
    module = GraphModule(folded(generator), size)
    found = {name: Part(name) for name in dict.fromkeys(PARTS.values())}
    for path, macs in count_macs(module, *module.example_inputs().values()).items():
        found[part_of(path)].macs += macs
    for path, parameter in module.named_parameters():
        found[part_of(path)].parameters += parameter.numel()
    order = ("stem", "previous planes", "encoder", "prompt", "codebooks", "context", "fusion", "attention", "taps",
             "feed-forward", "recurrence", "illumination", "decoder", "sharpening")  # fmt: skip
    return [found[name] for name in order if found[name].parameters]


def total_macs(generator: Generator, size: int) -> int:
    """Multiply-accumulates of one step."""
    return sum(part.macs for part in parts(generator, size))
