"""Checkpoints: weights, their running average, optimiser and clock, written atomically."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch

from engines.errors import BadInput
from engines.whole_file import replacing
from generator.config import GeneratorConfig
from generator.model import Generator

KEYS = {"config", "weights", "average", "optimiser", "elapsed", "step"}


def save_checkpoint(path: Path, content: dict[str, Any], config: GeneratorConfig) -> None:
    """Write `content` and the configuration; an interrupted write leaves the old file."""
    with replacing(path) as file:
        torch.save({**content, "config": dataclasses.asdict(config)}, file)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint; BadInput when the file is missing or not one."""
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise BadInput(f"{path}: no such checkpoint") from error
    except Exception as error:  # torch.load raises whatever its unpickler met
        raise BadInput(f"{path}: not a readable checkpoint") from error
    if not isinstance(content, dict) or not KEYS <= content.keys():
        raise BadInput(f"{path}: not a checkpoint of a generator")
    return content


def configuration(path: Path, content: dict[str, Any]) -> GeneratorConfig:
    """The sizes that the checkpoint read from `path` was trained with; BadInput when they are not a generator's."""
    try:
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in content["config"].items()}
        return GeneratorConfig(**fields)
    except (AttributeError, TypeError, ValueError) as error:
        raise BadInput(f"{path}: its configuration is not one of this version") from error


def put_weights(path: Path, weights: Any, generator: Generator) -> None:
    """Load weights out of the checkpoint `path`; BadInput when they do not fit the generator."""
    try:
        generator.load_state_dict(weights)
    except (AttributeError, RuntimeError, TypeError) as error:
        raise BadInput(f"{path}: its weights do not fit a generator of this version") from error


def carry_over(weights: dict[str, torch.Tensor], generator: Generator) -> list[str]:
    """Take over every tensor whose name and shape fit; returns the names in the generator that found none."""
    own = generator.state_dict()
    fitting = {name: tensor for name, tensor in weights.items() if name in own and tensor.shape == own[name].shape}
    generator.load_state_dict(fitting, strict=False)
    return [name for name in own if name not in fitting]


def load_generator(path: Path) -> tuple[Generator, dict[str, Any]]:
    """The generator with its averaged weights, ready to run, and the checkpoint's other content.

    Raises:
        BadInput: The file is missing, or holds no generator of this version.
    """
    content = load_checkpoint(path)
    generator = Generator(configuration(path, content))
    put_weights(path, content["average"], generator)
    return generator.eval(), content
