"""Runs the arms on the cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.ablation import facts
from benchmarks.ablation.arms import Arm
from benchmarks.ablation.claims import DIM, PEERS
from benchmarks.ablation.differences import Rows
from benchmarks.ablation.restore import restore, variant
from benchmarks.ablation.tune import Tuning, trained
from benchmarks.quality import peers
from benchmarks.quality.methods import UNTOUCHED
from benchmarks.quality.pictures import bgr
from benchmarks.quality.protocol import Case
from benchmarks.quality.scores import Extras, score
from benchmarks.quality.summary import Row
from engines.errors import BadInput
from generator.model import Generator
from training.codes import code_use
from training.degrade import Planar

Say = Callable[[str], None]
Make = Callable[[], Iterator[Case]]
Made = tuple[Arm, Generator, int]
"""An arm, its generator, and how many of its tensors the whole one has no trained weights for"""

FACT_CASES = 3


def generators(
    whole: Generator, arms: list[Arm], steps: int, folder: Path | None, out: Path, say: Say
) -> list[Made]:
    """The arms' generators, trained on where there are steps; arms of the same configuration share one.

    Without steps, arms that only differ in how they were trained are left out.

    BadInput where `out` cannot be made.
    """
    if not steps or folder is None:
        return [(arm, *variant(whole, arm)) for arm in arms if not (arm.training or arm.stages)]
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {out}: {error.strerror}") from error
    torch.set_num_threads(1)
    tuning = Tuning(folder, out / "landmarks.npz", steps)
    known: dict[str, tuple[Generator, int]] = {}
    made: list[Made] = []
    for arm in arms:
        key = repr((sorted(arm.change.items()), sorted(arm.training.items()), arm.stages))
        if key not in known:
            known[key] = trained(whole, arm, tuning, say)
        made.append((arm, *known[key]))
    return made


def judge(made: list[Made], cases: Make, total: int, say: Say) -> tuple[Rows, dict[str, int]]:
    """Rows of all arms and of the untouched input, and how many tensors of each arm had no trained weights."""
    rows: Rows = {name: [] for name in (*(arm.name for arm, _, _ in made), UNTOUCHED)}
    for done, case in enumerate(cases()):
        say(f"{done}/{total} {case.task}, {case.name}")
        rows[UNTOUCHED].append(_row(case, case.bad))
        for arm, generator, _ in made:
            rows[arm.name].append(_row(case, restore(generator, arm, case)))
    return rows, {arm.name: missing for arm, _, missing in made}


def peers_of(cases: Make) -> Rows:
    """Rows of the real-time peers on dark clips."""
    chosen = [peer for peer in peers.opencv_peers() if peer.name in PEERS]
    rows: Rows = {peer.name: [] for peer in chosen}
    for case in cases():
        if case.task not in DIM:
            continue
        for peer in chosen:
            result = peers.method(peer).run(case)
            if result is not None:
                rows[peer.name].append(_row(case, result.clip))
    return rows


def facts_of(generator: Generator, cases: Make) -> dict[str, Any]:
    """What `claims` wants to know beside rows, from the whole generator."""
    every = cases()
    few = [case for case, _ in zip(every, range(FACT_CASES), strict=False)]
    shares = [share for case in few if (share := facts.local_share(generator, case)) is not None]
    sources: dict[str, list[Any]] = {}
    for case in cases():
        if case.name not in sources:
            sources[case.name] = bgr(case.reference)[:2]
    return {
        "repeats": all(facts.repeats(generator, case) for case in few),
        "strength_0": all(facts.untouched_at_zero(generator, case) for case in few),
        "calls": facts.calls_a_frame(generator, few[0]),
        "local_share": float(np.mean(shares)) if shares else None,
        "auto_right": facts.estimated_rightly(generator, cases()),
        "live_ms": facts.live_ms(),
        "codes": code_use(generator, list(sources.values())),
    }


def _row(case: Case, clip: Planar) -> Row:
    return {
        "name": case.name,
        "person": case.person,
        "task": case.task,
        "strength": "middle",
        "figures": score(case, clip, Extras()),
    }
