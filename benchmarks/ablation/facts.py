"""Claims about the generator that are no matter of degree: they hold, or they do not."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.ablation.arms import ARMS
from benchmarks.ablation.restore import restore
from benchmarks.engine import EngineCase, take_turns
from benchmarks.quality.protocol import Case
from engines.errors import BadInput
from engines.manifest import MODELS, read_family
from generator.model import Frame, Generator
from stream.face.regions import REGION_NAMES, region_maps
from stream.prompt import prompt_from_estimate
from stream.tone.haze import weighed
from training.degrade import TASKS, Planar

WHOLE_ARM = ARMS[0]
ASKED = "lips"
"""The region that is taken away to see where the output changes"""
LIVE, LIVE_EDGE, LIVE_STEPS = "lite", 384, 60
"""Graph that is timed, its edge in px, and how many steps"""


def equal(a: Planar, b: Planar) -> bool:
    """Whether two clips agree in every bit."""
    return all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))


def repeats(generator: Generator, case: Case) -> bool:
    """The same input gives the same bits."""
    return equal(restore(generator, WHOLE_ARM, case), restore(generator, WHOLE_ARM, case))


def untouched_at_zero(generator: Generator, case: Case) -> bool:
    """Strength 0 returns the input."""
    return equal(restore(generator, WHOLE_ARM, case, strength=0.0), case.bad)


def calls_a_frame(generator: Generator, case: Case) -> float:
    """How often the velocity network runs for a frame."""
    calls = 0

    def count(*_: Any) -> None:
        nonlocal calls
        calls += 1

    handle = generator.velocity.register_forward_hook(count)
    try:
        restore(generator, WHOLE_ARM, case)
    finally:
        handle.remove()
    return calls / len(case.bad[0])


@torch.no_grad()
def local_share(generator: Generator, case: Case) -> float | None:
    """Share of the output's change, when one region is taken away, that lies within twice that region's extent.

    None without a face, or where nothing changes. An even change would give the extent's share of the picture.
    """
    if case.landmarks is None:
        return None
    y, uv = (torch.from_numpy(p[:1].astype(np.float32) / 255) for p in case.bad)
    edge, grid = y.shape[2], y.shape[2] // generator.config.latent_stride
    maps = region_maps(case.landmarks[0], 0, 0, edge, grid)
    without = maps.copy()
    region = REGION_NAMES.index(ASKED)
    without[region] = 0
    words = torch.from_numpy(np.ones(len(TASKS), np.float32) * 0.5)[None]
    outputs = []
    for given in (maps, without):
        frame = Frame(y, uv, torch.from_numpy(given)[None], words, torch.ones(1, 1))
        output, _ = generator.step(frame, torch.zeros(1, 1), generator.initial_state(1, edge, edge))
        outputs.append(output.change_y[0, 0].numpy())
    change = np.abs(outputs[0] - outputs[1])
    rows, columns = np.nonzero(maps[region] > 0.1)
    if not len(rows) or change.sum() == 0:
        return None
    cell = edge // grid
    low, high = np.array([rows.min(), columns.min()]) * cell, (np.array([rows.max(), columns.max()]) + 1) * cell
    margin = (high - low) // 2
    (top, left), (bottom, right) = np.maximum(low - margin, 0), high + margin
    return float(change[top:bottom, left:right].sum() / change.sum())


@torch.no_grad()
def estimated_rightly(generator: Generator, cases: Iterable[Case]) -> dict[str, float]:
    """Task to the share of its clips that `auto` prompts with that task before all others, by their first frame.

    Clips of several tasks are left out. An estimate too doubtful to prompt with is none.
    """
    right: dict[str, list[bool]] = {}
    for case in cases:
        if case.task not in TASKS:
            continue
        y, uv = (torch.from_numpy(p[:1].astype(np.float32) / 255) for p in case.bad)
        prompt = prompt_from_estimate(weighed(_estimate(generator, y, uv), case.bad[0][0, 0], TASKS), TASKS)
        right.setdefault(case.task, []).append(bool(prompt.any()) and TASKS[int(np.argmax(prompt))] == case.task)
    return {task: float(np.mean(answers)) for task, answers in right.items()}


def _estimate(generator: Generator, y: torch.Tensor, uv: torch.Tensor) -> np.ndarray[tuple[int, ...], Any]:
    features = generator.encode(y, uv)
    found = generator.estimate(features.edges, torch.nn.functional.avg_pool2d(features.latent, 2))
    return np.asarray(found[0].numpy())


def live_ms(folder: Path = MODELS) -> float | None:
    """Median ms a frame here of the shipped graph of 384 px on one thread, as fast as it goes; None without one.

    Of the shipped graph: the same step in torch takes several times as long, and is not what runs in a call. Neither is
    it the checkpoint that is judged, whose weights may be others: but other weights cost the same.
    """
    try:
        manifest = next((m for m in read_family(LIVE, folder) if m.crop == LIVE_EDGE), None)
    except BadInput:
        return None
    return None if manifest is None else take_turns([EngineCase(manifest, threads=1)], LIVE_STEPS)[0].median
