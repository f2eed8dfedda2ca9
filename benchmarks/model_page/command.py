"""`clearcall bench model`: writes the model's page from the figures of `clearcall bench quality`."""

from __future__ import annotations

import argparse
import csv
import json
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2

from benchmarks.latency.options import check_target, whole, write
from benchmarks.model_page.page import page
from benchmarks.model_page.strength import by_strength
from benchmarks.quality.embedding import FaceEmbedding
from benchmarks.quality.landmarks import Landmarks
from benchmarks.quality.options import DEV, MOST_FILES
from benchmarks.quality.protocol import BAD_CALL, DARK, FEWEST, Case, damaged, files_in, read_source
from benchmarks.quality.store import picture_path
from benchmarks.quality.summary import CLEAN_BAR, kept_clean, label
from benchmarks.quality.usable import usable
from engines.errors import BadInput
from engines.manifest import read_family
from stream.face.models import model_paths
from stream.models import open_model
from training.faces import attributions

STRENGTH_TASKS = ("noise", DARK, BAD_CALL)
FRAMES, EDGE = 8, 512
FAILURES = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options; `run` checks them."""
    add = parser.add_argument
    add("quality", type=Path, metavar="FILE", help="what clearcall bench quality --json wrote")
    add("page", type=Path, metavar="PAGE", help="where to write (docs/model.md); pictures go beside it")
    add("--faces", type=Path, default=DEV, metavar="FOLDER", help="clean stills and clips, for the strengths")
    add("--limit", default="6", metavar="N", help="files of them (default: %(default)s)")
    add("--runs", type=Path, default=Path("runs/quality"), help="bench quality's --out (default: %(default)s)")
    add("--identity", type=Path, metavar="FILE", help="a face embedding as ONNX, for faces of 112 px")
    add("--traits", type=Path, metavar="FILE", help="CSV: person, then a column for each trait, as glasses or beard")


def run(arguments: argparse.Namespace) -> int:
    """Measure the strengths and write; returns the exit status. BadInput for files that cannot be used."""
    a = arguments
    found = _quality(a.quality)
    traits = {} if a.traits is None else read_traits(a.traits)
    limit = whole("--limit", a.limit, MOST_FILES)
    check_target(a.page, "PAGE")
    cv2.setNumThreads(1)
    name = found["settings"]["model"]
    manifest, model = read_family(name)[0], open_model(name)
    files = usable(files_in(a.faces, limit), lambda file: read_source(file, FEWEST, EDGE))
    identity = FaceEmbedding(a.identity) if a.identity else None
    finder = Landmarks(model_paths())

    def cases() -> Iterator[Case]:
        for file in files:
            source = read_source(file, FRAMES, EDGE)
            for task in STRENGTH_TASKS:
                yield damaged(source, task, "middle", finder)

    strengths = by_strength(model, cases(), finder, identity, lambda line: print(line, file=sys.stderr, flush=True))
    strengths.sort(key=lambda s: (STRENGTH_TASKS.index(s.task), s.strength))
    pictures = failures(found, a.runs, a.page)
    faces = attributions(a.faces, files_in(a.faces, None))
    command = shlex.join(["clearcall", *sys.argv[1:]])
    write(a.page, "PAGE", page(found, manifest.training, strengths, traits, pictures, faces, command))
    print(f"written to {a.page}")
    return 0


def _quality(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if found["bench"] != "quality" or not {"summary", "rows", "films", "run", "main"} <= found.keys():
            raise KeyError("bench")
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{path}: not a file that bench quality --json wrote") from error
    return found


def read_traits(path: Path) -> dict[str, dict[str, str]]:
    """Person to trait to value; BadInput for a file without a column `person`."""
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"--traits {path}: cannot be read") from error
    if not rows or "person" not in rows[0]:
        raise BadInput(f"--traits {path}: no column person")
    return {r["person"]: {k: v.strip() for k, v in r.items() if k and k != "person" and v} for r in rows}


def failures(found: dict[str, Any], runs: Path, target: Path) -> list[tuple[str, str]]:
    """Film strips of the worst cases, one a task, and of the worst spoilt clean clip, copied beside the page.

    File name and text of each.

    Args:
        found: The JSON of `clearcall bench quality`.
        runs: Its `--out`.
        target: The page.
    """
    rows = " / ".join(found["shown"])
    taken: list[tuple[str, str]] = []
    seen: set[str] = set()
    for film in found["films"]:
        if film["gain"] is None or film["task"] in seen or len(taken) == FAILURES:
            continue
        file = f"{target.stem}-worst-{len(taken) + 1}.jpg"
        if _copied(runs / found["run"], film, target.parent / file):
            seen.add(film["task"])
            taken.append((file, f"{film['task']}, {film['name']}, {film['gain']:+.2f} dB; rows: {rows}"))
    for psnr, row in kept_clean(found["rows"], found["main"])[:1]:
        file = f"{target.stem}-worst-clean.jpg"
        films = [f for f in found["films"] if (f["task"], f["name"]) == (label(row), row["name"])]
        if psnr < CLEAN_BAR and films and _copied(runs / found["run"], films[0], target.parent / file):
            taken.append((file, f"{label(row)}, {row['name']}, {psnr:.2f} dB left; rows: {rows}"))
    return taken


def _copied(run: Path, film: dict[str, Any], target: Path) -> bool:
    source = picture_path(run, film["case"], "film")
    if not source.is_file():
        return False
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise BadInput(f"{target}: {error.strerror}") from error
    return True
