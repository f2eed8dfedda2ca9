"""What a train.log says: losses and scores over the minutes of the run that it ends with."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from engines.errors import BadInput

_PROGRESS = re.compile(r"step (\d+) minute ([\d.]+) loss ([\d.eE+-]+) \(([^)]*)\)")
_TERM = re.compile(r"(\S+) ([\d.eE+-]+)(?: |$)")
_MORE = re.compile(r"([a-z][a-z ]*?) \(([^)]*)\)")
_SCORE = re.compile(r"([a-z][a-z ]*?) ([\d.]+) -> ([\d.]+) \(auto ([\d.]+)")
_BEGIN = re.compile(r"training from step (\d+)")

Points = list[tuple[float, float]]
"""Minute and value."""


@dataclass(frozen=True, slots=True)
class RunLog:
    """Curves of one run."""

    losses: dict[str, Points] = field(default_factory=dict)
    """By term, and their sum as `loss`; thousandths"""
    before: dict[str, Points] = field(default_factory=dict)
    """PSNR on dev in dB, by task, of the input"""
    after: dict[str, Points] = field(default_factory=dict)
    """with the right prompt"""
    auto: dict[str, Points] = field(default_factory=dict)
    """with the generator's own estimate"""
    more: dict[str, dict[str, Points]] = field(default_factory=dict)
    """By the figure's name as `training.validate.Score` has it, of auto but for `word`, and task; logs of before have
    none"""
    steps: int = 0


def read_log(path: Path) -> RunLog:
    """Read a log; of a file that holds several runs the last one counts. BadInput where nothing was trained."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error
    begins = [i for i, line in enumerate(lines) if (m := _BEGIN.search(line)) and m[1] == "0"]
    losses: dict[str, Points] = {}
    before: dict[str, Points] = {}
    after: dict[str, Points] = {}
    auto: dict[str, Points] = {}
    more: dict[str, dict[str, Points]] = {}
    minute, steps = 0.0, 0
    for line in lines[begins[-1] if begins else 0 :]:
        if progress := _PROGRESS.search(line):
            steps, minute = int(progress[1]), float(progress[2])
            for name, value in [("loss", progress[3]), *_TERM.findall(progress[4])]:
                losses.setdefault(name, []).append((minute, float(value)))
        elif " dev more: " in line:
            for task, figures in _MORE.findall(line.split(" dev more: ", 1)[1]):
                for name, value in _TERM.findall(figures):
                    more.setdefault(name, {}).setdefault(task, []).append((minute, float(value)))
        elif " dev " in line:
            for task, *values in _SCORE.findall(line.split(" dev ", 1)[1]):
                for curves, value in zip((before, after, auto), values, strict=True):
                    curves.setdefault(task, []).append((minute, float(value)))
    if not losses and not after:
        raise BadInput(f"{path}: no training in it")
    return RunLog(losses, before, after, auto, more, steps)
