"""The tables of `clearcall bench engine`: each function measures, prints, and returns its rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.engine import EngineCase, GraphCase, Timed, operators, session_bytes, spread, take_turns
from benchmarks.paced import paced_turns
from engines.errors import BadInput
from engines.install_hint import install_extra
from engines.manifest import Manifest
from engines.precision import FP32, precision_of

if TYPE_CHECKING:
    from benchmarks.macs import Part
    from generator.config import GeneratorConfig

SHOWN = 8
"""Operator types that are shown; the rest is one figure."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Work:
    """What a graph has to do, counted in torch."""

    parts: list[Part]
    yardstick: Path
    """Graph of a plain trunk"""
    yardstick_macs: int

    @property
    def macs(self) -> int:
        """Multiply-accumulates of a step."""
        return sum(part.macs for part in self.parts)


def graphs(manifests: list[Manifest], threads: list[int], steps: int, fps: int, folder: Path) -> list[Row]:
    """Time every graph on every thread count, beside its yardstick where torch is there to make one.

    Args:
        manifests: The graphs; those in other precisions than float32 have the work of the same graph in float32, and no
            yardstick, which is in float32 itself.
        threads: Thread counts.
        steps: Steps per graph and thread count, as fast as they go; and as many at a camera's rate.
        fps: That rate.
        folder: Where the yardsticks' graphs go.
    """
    plain = {m.crop: m for m in manifests if precision_of(m) == FP32}
    counted = {m.crop: _work(m, folder) for m in plain.values()}
    work = {m.name: counted.get(m.crop) for m in manifests}
    cases: dict[tuple[str, int, str], Timed] = {}
    engines: dict[tuple[str, int], EngineCase] = {}
    for manifest in manifests:
        known = work[manifest.name]
        for count in threads:
            cases[manifest.name, count, "engine"] = engines[manifest.name, count] = EngineCase(manifest, count)
            if known is not None and manifest is plain[manifest.crop]:
                cases[manifest.name, count, "yardstick"] = GraphCase(known.yardstick, count)
    times = dict(zip(cases, take_turns(list(cases.values()), steps), strict=True))
    slowly = paced_turns([case.step for case in engines.values()], steps, fps)
    at_rate = {key: spread(taken) for key, taken in zip(engines, slowly, strict=True)}
    print(f"{'graph':<14}{'threads':>8}{'parameters':>12}{'GMAC':>8}{'best ms':>9}{'median ms':>11}{'p95 ms':>9}"
          f"{f'at {fps} fps':>11}{'p95 ms':>9}{'x plain':>9}{'MB a session':>14}")  # fmt: skip
    rows = []
    for manifest in manifests:
        known, alike = work[manifest.name], plain.get(manifest.crop, manifest)
        for count in threads:
            taken, slow = times[manifest.name, count, "engine"], at_rate[manifest.name, count]
            row: Row = {
                "graph": manifest.name,
                "precision": precision_of(manifest),
                "threads": count,
                "parameters": sum(p.parameters for p in known.parts) if known else _about(alike),
                "gmac": known.macs / 1e9 if known else None,
                "best_ms": taken.best,
                "median_ms": taken.median,
                "p95_ms": taken.p95,
                "paced_median_ms": slow.median,
                "paced_p95_ms": slow.p95,
                "times_plain": None,
                "session_bytes": session_bytes(manifest),
                "parts": [asdict(part) for part in known.parts] if known else [],
                "operators_ms": operators(manifest.graph.path, count),
            }
            yardstick = times.get((manifest.name, count, "yardstick"))
            if known is not None and yardstick is not None:
                # Per multiply-accumulate: the trunk's last block leaves the two a little apart.
                row["times_plain"] = round(taken.best / known.macs / (yardstick.best / known.yardstick_macs), 3)
            rows.append(row)
            print(f"{row['graph']:<14}{count:>8}{row['parameters'] / 1e6:>10.2f} M{_shown(row['gmac'], '.3f'):>8}"
                  f"{taken.best:>9.2f}{taken.median:>11.2f}{taken.p95:>9.2f}"
                  f"{slow.median:>11.2f}{slow.p95:>9.2f}{_shown(row['times_plain'], '.2f'):>9}"
                  f"{row['session_bytes'] / 1e6:>14.1f}")  # fmt: skip
    for row in rows:
        if row["parts"] and row["threads"] == threads[0] and row["precision"] == FP32:
            print(f"{row['graph']}, MMAC: {_listed({p['name']: p['macs'] / 1e6 for p in row['parts']}, 99)}")
        print(f"{row['graph']}, {row['threads']} threads, ms: {_listed(row['operators_ms'], SHOWN)}")
    return rows


def switches(model: str, size: int, threads: list[int], steps: int, folder: Path) -> list[Row]:
    """Time an untrained generator of that name with each part off."""
    config = configuration(model)
    from benchmarks.switches import measure_switches

    variants = measure_switches(config, size, threads, steps, folder)
    whole = variants[0]
    columns = "".join(f"{f'best ms, {count} thr.':>18}" for count in threads)
    print(f"{f'{model}-{size} without':<20}{'parameters':>12}{'MMAC':>9}{columns}")
    for variant in variants:
        times = {count: (t.best, t.best - whole.times[count].best) for count, t in variant.times.items()}
        shown = "".join(f"{best:>10.2f} {change:>+7.2f}" for best, change in times.values())
        print(f"{variant.without:<20}{variant.parameters:>12}{variant.macs / 1e6:>9.1f}{shown}")
    return [asdict(variant) for variant in variants]


def configuration(model: str) -> GeneratorConfig:
    """The configuration of a model of this name; BadInput where it has none, or torch is missing."""
    try:
        import torch  # noqa: F401

        from generator.config import CONFIGS
    except ImportError as error:
        raise BadInput(f"this needs torch: {install_extra('train')}") from error
    if model not in CONFIGS:
        raise BadInput(f"no configuration is named {model!r}; there are: {', '.join(CONFIGS)}")
    return CONFIGS[model]


def _work(manifest: Manifest, folder: Path) -> Work | None:
    """None where torch is missing, or where the graph is not of the configuration that its name says."""
    try:
        config = configuration(manifest.family)
    except BadInput:
        return None
    from benchmarks.macs import parts
    from benchmarks.yardstick import export_yardstick
    from generator.model import Generator
    from generator.state import state_specs

    specs = [(name, (1, s.channels, manifest.crop // s.stride)) for name, s in state_specs(config).items()]
    if [(s.input, s.shape[:3]) for s in manifest.states] != specs:
        return None
    counted = parts(Generator(config), manifest.crop)
    path = folder / f"yardstick-{manifest.crop}.onnx"
    return Work(counted, path, export_yardstick(config, manifest.crop, sum(p.macs for p in counted), path))


def _about(manifest: Manifest) -> int:
    """The shared weights in the file, without biases that are small enough to lie in the graph."""
    return manifest.weights.path.stat().st_size // 4


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _listed(figures: dict[str, float], most: int) -> str:
    names = list(figures)
    rest = sum(figures[name] for name in names[most:])
    shown = [f"{name} {figures[name]:.2f}" for name in names[:most]]
    return ", ".join([*shown, f"rest {rest:.2f}"] if rest else shown)
