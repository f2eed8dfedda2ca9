"""What a person saw in the pictures that the rubric is calibrated on."""

from __future__ import annotations

import csv
import importlib.resources
from dataclasses import dataclass

UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Label:
    """One picture, or one frame of a clip."""

    file: str
    """Within the folder of the material."""
    frame: int | None
    """Of a clip, from 0."""
    focus: str
    """sharp, soft or unsure"""
    light: str
    """good, dark, bright or unsure"""
    blocks: str
    """clean, blocky or unsure"""

    @property
    def person(self) -> str:
        """File name up to the first underscore."""
        return self.file.rsplit("/", 1)[-1].split("_")[0]

    @property
    def spotless(self) -> bool:
        """Whether nothing at all was found wrong with it."""
        return (self.focus, self.light, self.blocks) == ("sharp", "good", "clean")

    @property
    def fitting(self) -> bool:
        """Whether limits are fitted on this person; on the others they are tested."""
        return int(self.person[1:]) % 2 == 0


def load_labels() -> list[Label]:
    """All labels that come with clearcall; lines that begin with # say how they came about."""
    text = importlib.resources.files(__package__).joinpath("labels.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return [
        Label(row["file"], int(row["frame"]) if row["frame"] else None, row["focus"], row["light"], row["blocks"])
        for row in rows
    ]
