"""`clearcall bench ablation`: what switching off each part of the generator costs. Needs torch."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2

from benchmarks.ablation.arms import ARMS, WHOLE
from benchmarks.latency.options import check_target, whole, write
from benchmarks.quality.options import DEV, MOST_FILES, MOST_FRAMES, chosen
from benchmarks.quality.protocol import CLEAN, EDGES, FEWEST, LEVELS, Case, damaged, files_in, read_source
from benchmarks.quality.usable import usable
from engines.errors import BadInput
from engines.install_hint import install_extra

if TYPE_CHECKING:
    from benchmarks.ablation.differences import Rows

MOST_STEPS = 1_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options; `run` checks them."""
    add = parser.add_argument
    add("checkpoint", type=Path, metavar="CHECKPOINT", help="last.pt of a training run")
    add("folder", nargs="?", type=Path, default=DEV, metavar="FOLDER", help="clean stills and clips of other people")
    add("--arms", default="all", metavar="LIST", help="with commas (default: all)")
    add("--task", default="all", metavar="LIST", help="of those of bench quality (default: all but clean)")
    add("--limit", metavar="N", help="so many files only")
    add("--frames", default="12", metavar="N", help="frames of each clip (default: %(default)s)")
    add("--size", default="256", metavar="PX", help="largest edge of a clip (default: %(default)s)")
    add("--fine-tune", metavar="STEPS", help="train every arm, and the whole, on for so long first")
    add("--train", type=Path, metavar="FOLDER", help="what to train them on")
    add("--labelled", type=Path, metavar="DIR", help="train/ and real/ with the faces that curation's labels are of")
    add("--out", type=Path, default=Path("runs/ablation"), help="where arms are kept (default: %(default)s)")
    add("--json", type=Path, metavar="FILE", help="write all figures here")
    add("--doc", type=Path, metavar="FILE", help="write the page here (docs/ablations.md)")


def run(arguments: argparse.Namespace) -> int:
    """Measure, print and write; returns the exit status.

    Raises:
        BadInput: An option is wrong, the checkpoint is none, or torch is missing.
    """
    a = arguments
    names = tuple(arm.name for arm in ARMS)
    picked = names if a.arms == "all" else chosen("--arms", f"{WHOLE},{a.arms}", names)
    tasks = tuple(t for t in LEVELS if t != CLEAN) if a.task == "all" else chosen("--task", a.task, tuple(LEVELS))
    limit = None if a.limit is None else whole("--limit", a.limit, MOST_FILES)
    frames, size = whole("--frames", a.frames, MOST_FRAMES), whole("--size", a.size, max(EDGES))
    steps = 0 if a.fine_tune is None else whole("--fine-tune", a.fine_tune, MOST_STEPS)
    if (a.fine_tune is None) != (a.train is None):
        raise BadInput("--fine-tune and --train go together")
    if size not in EDGES or frames < 2:
        raise BadInput(f"--size must be one of {', '.join(map(str, sorted(EDGES)))}, --frames at least 2")
    check_target(a.json, "--json")
    check_target(a.doc, "--doc")
    try:
        from benchmarks.ablation.curation import measure_curation
        from benchmarks.ablation.measure import facts_of, generators, judge, peers_of
        from training.checkpoint import load_generator
    except ImportError as error:
        raise BadInput(f"this needs torch: {install_extra('train')}") from error
    cv2.setNumThreads(1)
    curation = None if a.labelled is None else measure_curation(a.labelled)
    generator, content = load_generator(a.checkpoint)
    files = usable(files_in(a.folder, limit), lambda file: read_source(file, FEWEST, size))
    arms = [arm for arm in ARMS if arm.name in picked]

    def cases() -> Iterator[Case]:
        from benchmarks.quality.landmarks import Landmarks
        from stream.face.models import model_paths

        finder = Landmarks(model_paths())
        for file in files:
            source = read_source(file, frames, size)
            for task in tasks:
                yield damaged(source, task, "middle", finder)

    made = generators(generator, arms, steps, a.train, a.out, _say)
    rows, missing = judge(made, cases, len(files) * len(tasks), _say)
    rows |= peers_of(cases)
    facts = facts_of(made[0][1], cases) | {"trained": bool(steps), "curation": curation}
    return _report(a, rows, missing, facts, content, {"steps": steps, "frames": frames, "size": size})


def _report(
    a: argparse.Namespace,
    rows: Rows,
    missing: dict[str, int],
    facts: dict[str, Any],
    content: dict[str, Any],
    about: dict[str, Any],
) -> int:
    from benchmarks.ablation.claims import verdicts
    from benchmarks.ablation.page import page

    facts["untrained"] = [arm for arm, tensors in missing.items() if tensors]
    found = verdicts(rows, facts)
    about |= {
        "command": shlex.join(["clearcall", *sys.argv[1:]]),
        "step": content["step"],
        "minutes": content["elapsed"] / 60,
        "cases": len(rows[WHOLE]),
        "people": len({row["person"] for row in rows[WHOLE]}),
        "missing": missing,
    }
    text = page(rows, found, about)
    if a.json is not None:
        write(a.json, "--json", json.dumps({"bench": "ablation", "about": about, "facts": facts, "rows": rows}) + "\n")
    if a.doc is not None:
        write(a.doc, "--doc", text)
    print(text)
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


