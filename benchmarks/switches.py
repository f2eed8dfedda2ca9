"""What each part of a generator costs: the same generator with one switch off, untrained, since time is the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.engine import EngineCase, Times, take_turns
from benchmarks.macs import parts
from engines.manifest import Manifest
from export.onnx_graph import export_family
from generator.config import GeneratorConfig
from generator.model import Generator

WHOLE = "everything on"
OFF: dict[str, dict[str, Any]] = {
    "prompting": {"prompting": False},
    "attention": {"attention": "off"},
    "spatial codes": {"spatial_codes": False},
    "temporal codes": {"temporal_codes": False},
    "fusion": {"fusion": "off"},
    "context": {"context": False},
    "taps": {"taps": False},
    "recurrence": {"recurrence": False},
    "previous planes": {"previous": False},
    "sharpening": {"sharpening": False},
    "illumination": {"illumination": False},
}
"""Name of a switch to the configuration without it."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A generator with something off."""

    without: str
    parameters: int
    macs: int
    times: dict[int, Times]
    """By the number of threads"""


def export_untrained(config: GeneratorConfig, family: str, sizes: list[int], folder: Path) -> list[Manifest]:
    """Graphs of a generator that has not been trained: as fast as one that has."""
    return export_family(Generator(config).eval(), family, sizes, folder, {})


def measure_switches(
    config: GeneratorConfig, size: int, threads: list[int], steps: int, folder: Path
) -> list[Variant]:
    """Export each variant at one size and time them in turns; `folder` must be empty."""
    configs = {WHOLE: config, **{name: replace(config, **change) for name, change in OFF.items()}}
    manifests = {
        name: export_untrained(variant, f"variant{index}", [size], folder)[0]
        for index, (name, variant) in enumerate(configs.items())
    }
    cases = {(name, count): EngineCase(m, count) for name, m in manifests.items() for count in threads}
    times = dict(zip(cases, take_turns(list(cases.values()), steps), strict=True))
    found = []
    for name, variant in configs.items():
        counted = parts(Generator(variant), size)
        found.append(
            Variant(
                name,
                sum(p.parameters for p in counted),
                sum(p.macs for p in counted),
                {count: times[name, count] for count in threads},
            )
        )
    return found
