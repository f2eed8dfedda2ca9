"""`clearcall bench quality`: how much clearcall improves a call, against the input and against what else there is."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from typing import Any

import cv2

from benchmarks.latency.options import write
from benchmarks.latency.report import machine
from benchmarks.quality import gate, html, options, plan, report, scopes
from benchmarks.quality.embedding import FaceEmbedding
from benchmarks.quality.landmarks import Landmarks
from benchmarks.quality.methods import OURS, REFERENCE, UNTOUCHED, pipeline_name
from benchmarks.quality.options import Options
from benchmarks.quality.perceptual import Inception, open_lpips
from benchmarks.quality.plan import Planned
from benchmarks.quality.run import Job, distances
from benchmarks.quality.run import run as run_job
from benchmarks.quality.scores import Extras
from benchmarks.quality.store import Store
from benchmarks.quality.summary import CLEAN_BAR, kept_clean, label, summary, worst
from engines.errors import BadInput
from stream.face.models import model_paths
from stream.models import open_model
from training.measures import EQUAL

FRAME_S = 0.9
"""What a frame of 512 px costs in a case with all methods, on one core of a laptop; roughly."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options; `run` checks them."""
    options.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Judge and print; returns the exit status: 1 where a task lost against `--against`.

    Raises:
        BadInput: An option is wrong, a file cannot be read, or nothing is there that `--against` could be compared to.
        ClearcallError: A method failed.
    """
    wanted = options.read(arguments)
    cv2.setNumThreads(1)
    where = machine()
    model = open_model(wanted.model)
    methods, notes = plan.all_methods(wanted, model)
    settings = plan.settings(wanted, [m.name for m in methods])
    before = gate.read(wanted.against, settings) if wanted.against else []
    extras = Extras(
        FaceEmbedding(wanted.identity) if wanted.identity else None,
        open_lpips() if "lpips" in wanted.metrics else None,
    )
    inception = Inception() if {"fid", "kid"} & set(wanted.metrics) else None
    finder = Landmarks(model_paths())
    prompt = wanted.prompts[0]
    main = pipeline_name(prompt, wanted.scopes[0]) if "pipeline" in wanted.runs else f"generator {prompt}"
    job = Job(plan.cases(wanted, finder), methods, main, extras, inception)
    store = Store(wanted.out, settings)
    print(f"clearcall: {announcement(wanted, job, store)}", file=sys.stderr)
    if not run_job(job, store, wanted.minutes):
        notes.append("the time was up before all cases were done; the same command goes on from there")
    found = result(wanted, job, store, settings, where, notes)
    ours = [m.name for m in methods if m.name.startswith((OURS, "generator"))]
    changes = gate.changes(found["rows"], before, ours)
    found["lost"] = [str(change) for change in changes if change.lost]
    found["notes"] += gate.verdict(changes)
    if wanted.json is not None:
        write(wanted.json, "--json", json.dumps(found) + "\n")
    if wanted.html is not None:
        write(wanted.html, "--html", html.page(found, lambda case, kind: _picture(store, case, kind)))
    print("\n".join([*report.lines(found), *scopes.lines(found, wanted.prompts)]))
    if wanted.against and not changes:
        raise BadInput(f"--against {wanted.against}: has no clip, task and method in common with this run")
    return 1 if found["lost"] else 0


def announcement(wanted: Options, job: Job, store: Store) -> str:
    """What is going to be judged, and about how long that takes."""
    left = sum(case.key not in store for case in job.cases)
    text = f"{wanted.real or wanted.degraded or wanted.folder}: {left} of {len(job.cases)} cases to be judged"
    if not left:
        return text
    minutes = max(1, round(left * wanted.frames * FRAME_S / 60))
    lasting = f"about {minutes} min" if wanted.minutes is None else f"for {wanted.minutes:g} min at most"
    return f"{text}, {lasting}; --limit and --minutes make it less, the same command goes on"


def result(
    wanted: Options, job: Job, store: Store, settings: dict[str, Any], where: dict[str, Any], notes: list[str]
) -> dict[str, Any]:
    """A run as it goes into `--json`."""
    rows = store.rows([case.key for case in job.cases])
    order = [m.name for m in job.methods]
    table = {
        task: dict(sorted(methods.items(), key=lambda item: order.index(item[0])))
        for task, methods in summary(rows).items()
    }
    bad = [{"task": label(row), "name": row["name"], "gain": gain} for gain, row in worst(rows, job.main)]
    kept = [{"task": label(row), "name": row["name"], "psnr": psnr} for psnr, row in kept_clean(rows, job.main)]
    return {
        "bench": "quality",
        "command": shlex.join(["clearcall", *sys.argv[1:]]),
        "when": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "machine": where,
        "settings": settings,
        "main": job.main,
        "embedding": None if job.extras.identity is None else job.extras.identity.name,
        "run": store.digest,
        "shown": [UNTOUCHED, job.main, REFERENCE],
        "planned": len(job.cases),
        "done": sum(case.key in store for case in job.cases),
        "summary": table,
        "distances": distances(rows),
        "worst": bad,
        "clean": {"bar": CLEAN_BAR, "kept": kept},
        "films": films(job.cases, store, job.main),
        "rows": [{k: v for k, v in row.items() if k != "features"} for row in rows],
        "notes": notes,
    }


def films(cases: list[Planned], store: Store, main: str) -> list[dict[str, Any]]:
    """Cases that are done, those first that the method does worst in; then clean clips, and those without a figure."""
    found = []
    for case in cases:
        rows = {row["method"]: row for row in store.rows([case.key])}
        if main not in rows:
            continue
        after, before = (rows[name]["figures"].get("psnr") for name in (main, UNTOUCHED))
        # A clean clip has nothing to gain.
        gain = None if after is None or before >= EQUAL else after - before
        about = {"case": case.key, "task": label(rows[main]), "name": case.file}
        found.append({**about, "gain": gain, "psnr": after, "clean": REFERENCE in rows})
    return sorted(found, key=_badness)


def _badness(film: dict[str, Any]) -> tuple[bool, bool, float]:
    gain, psnr = film["gain"], film["psnr"]
    return gain is None, psnr is None, next((value for value in (gain, psnr) if value is not None), 0.0)


def _picture(store: Store, case: str, kind: str) -> bytes | None:
    path = store.picture(case, kind)
    return path.read_bytes() if path.is_file() else None
