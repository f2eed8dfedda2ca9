"""The run: every case through every method, kept as it goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.quality import border, strips, summary
from benchmarks.quality.brightness import flicker_spectrum
from benchmarks.quality.methods import REFERENCE, UNTOUCHED, Method
from benchmarks.quality.perceptual import Inception, fid, kid
from benchmarks.quality.pictures import RATE, bgr
from benchmarks.quality.plan import Planned
from benchmarks.quality.progress import Progress
from benchmarks.quality.protocol import Case
from benchmarks.quality.scores import Extras, score
from benchmarks.quality.skin import skin_tone
from benchmarks.quality.store import Store
from benchmarks.quality.summary import Row
from training.degrade import Planar


@dataclass(frozen=True, slots=True)
class Job:
    """What a run needs."""

    cases: list[Planned]
    methods: list[Method]
    main: str
    """The method whose pictures are kept"""
    extras: Extras
    inception: Inception | None = None


def run(job: Job, store: Store, minutes: float | None, clock: Callable[[], float] = time.monotonic) -> bool:
    """Do what is not done yet; False where the time was up before the end."""
    began = clock()
    done = sum(case.key in store for case in job.cases)
    progress = Progress(len(job.cases), done)
    try:
        for planned in job.cases:
            if planned.key in store:
                continue
            if minutes is not None and clock() - began >= 60 * minutes:
                return False
            progress.update(done, f"{planned.task}, {planned.file}")
            case = planned.make()
            rows, pictures = judge(job, planned, case)
            store.add(planned.key, rows, pictures)
            done += 1
    finally:
        progress.close()
    return True


def judge(job: Job, planned: Planned, case: Case) -> tuple[list[Row], dict[str, bytes]]:
    """The rows of one case, and its film strip and time slice as JPEG."""
    rows: list[Row] = []
    shown: dict[str, Planar] = {}
    tone = None if case.clean is None else skin_tone(case.reference_pictures[0], case.landmarks)
    for method in job.methods:
        result = method.run(case)
        if result is None:
            continue
        row: Row = {
            "name": case.name,
            "person": case.person,
            "task": case.task,
            "strength": planned.strength,
            "method": method.name,
            "ms": None if result.ms is None else round(result.ms, 3),
            "setting": result.setting,
            "figures": {k: round(v, 6) for k, v in score(case, result.clip, job.extras).items()},
        }
        if result.stages is not None:
            row["stages"] = result.stages
        if result.restored is not None:
            row["figures"]["restored"] = round(result.restored, 4)
        if result.squares is not None and case.clean is not None:
            seam = border.visibility(result.clip, case.clean, result.squares, case.bad)
            row["figures"] |= {} if seam is None else {"border": round(seam, 4)}
        if tone is not None:
            row["ita"] = round(tone, 1)
        if job.inception is not None:
            row["features"] = np.round(job.inception(result.clip)[[0, -1]], 4).tolist()
        rows.append(row)
        if method.name in (UNTOUCHED, job.main, REFERENCE):
            shown[method.name] = result.clip
            row["spectrum"] = np.round(flicker_spectrum(result.clip, case.clean, float(RATE))[1], 4).tolist()
    clips = [bgr(shown[name]) for name in (UNTOUCHED, job.main, REFERENCE) if name in shown]
    return rows, {"film": strips.film(clips), "slice": strips.slices(clips, strips.face_column(case))}


def distances(rows: Iterable[Row]) -> dict[str, dict[str, dict[str, float]]]:
    """FID and KID by task and method, of the first and last frames of all clips against the clean ones'."""
    features: dict[str, dict[str, list[Any]]] = {}
    for row in rows:
        if "features" in row:
            features.setdefault(summary.label(row), {}).setdefault(row["method"], []).extend(row["features"])
    found: dict[str, dict[str, dict[str, float]]] = {}
    for task, methods in features.items():
        if REFERENCE not in methods:
            continue
        clean = np.array(methods[REFERENCE])
        for name, vectors in methods.items():
            ours = np.array(vectors)
            known = {"fid": fid(ours, clean), "kid": kid(ours, clean)}
            found.setdefault(task, {})[name] = {k: v for k, v in known.items() if v is not None}
    return found
