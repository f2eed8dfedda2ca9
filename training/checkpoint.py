"""Checkpoints: weights, their running average, optimiser and clock, written atomically."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import torch

from engines.errors import BadInput
from generator.config import GeneratorConfig
from generator.model import Generator


def save_checkpoint(path: Path, content: dict[str, Any], config: GeneratorConfig) -> None:
    """Write `content` and the configuration; an interrupted write leaves the old file."""
    temporary = path.with_suffix(".tmp")
    torch.save({**content, "config": dataclasses.asdict(config)}, temporary)
    os.replace(temporary, path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint; BadInput when the file is missing or not one."""
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise BadInput(f"{path}: no such checkpoint") from error
    except Exception as error:  # torch.load raises whatever its unpickler met
        raise BadInput(f"{path}: not a readable checkpoint") from error
    if not isinstance(content, dict) or "config" not in content or "average" not in content:
        raise BadInput(f"{path}: not a checkpoint of a generator")
    return content


def load_generator(path: Path) -> tuple[Generator, dict[str, Any]]:
    """The generator with its averaged weights, ready to run, and the checkpoint's other content."""
    content = load_checkpoint(path)
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in content["config"].items()}
    generator = Generator(GeneratorConfig(**fields))
    generator.load_state_dict(content["average"])
    return generator.eval(), content
