"""The options of `clearcall bench quality`, checked."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from benchmarks.latency.options import check_target, number, whole
from benchmarks.quality.methods import PROMPTS, SCOPES
from benchmarks.quality.protocol import EDGES, LEVELS, STRENGTHS
from engines.errors import BadInput

DEV = Path(__file__).resolve().parents[3] / "shared" / "data" / "dev"
RUNS, METRICS = ("pipeline", "generator"), ("lpips", "fid", "kid")
MOST_FRAMES, MOST_FILES = 300, 1_000_000
WHOLE = "whole"
"""As `--size`: clips are not cut."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is to be done."""

    folder: Path
    degraded: Path | None
    clean: Path | None
    real: Path | None
    tasks: tuple[str, ...]
    strengths: tuple[str, ...]
    prompts: tuple[str, ...]
    runs: tuple[str, ...]
    scopes: tuple[str, ...]
    model: str
    frames: int
    size: int | None
    """Largest edge of a clip, px; None: whole frames"""
    limit: int | None
    minutes: float | None
    peers: bool
    own_peers: tuple[tuple[str, Path], ...]
    identity: Path | None
    metrics: tuple[str, ...]
    out: Path
    json: Path | None
    html: Path | None
    against: Path | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options; `read` checks them."""
    add = parser.add_argument
    clean = "clean stills and clips, PERSON_any.jpg (default: %(default)s)"
    add("folder", nargs="?", type=Path, default=DEV, metavar="FOLDER", help=clean)
    add("--degraded", type=Path, metavar="DIR", help="instead: damaged files, with --clean files of the same names")
    add("--clean", type=Path, metavar="DIR")
    add("--real", type=Path, metavar="DIR", help="instead: footage without a reference")
    add("--task", default="all", metavar="LIST", help=f"with commas, of: {', '.join(LEVELS)} (default: all)")
    add("--strength", default="middle", metavar="LIST", help=f"of: {', '.join(STRENGTHS)} (default: %(default)s)")
    add("--prompt", default="auto,right", metavar="LIST", help=f"of: {', '.join(PROMPTS)} (default: %(default)s)")
    add("--run", default="pipeline,generator", metavar="LIST", help="the whole filter, or the generator alone, or both")
    add("--scope", default="face", metavar="LIST", help="what the filter restores: face, frame (default: %(default)s)")
    add("--model", default="lite", help="model to judge (default: %(default)s)")
    add("--frames", default="16", metavar="N", help="frames of each clip (default: %(default)s)")
    add("--size", default="512", metavar="PX", help="largest edge of a clip, 256, 384 or 512 (default); whole: uncut")
    add("--limit", metavar="N", help="judge so many files only, spread over the folder")
    add("--minutes", metavar="M", help="stop after so long; the same command goes on from there")
    add("--peers", choices=("all", "none"), default="all", help="filters to compare with (default: %(default)s)")
    add("--peer", action="append", default=[], metavar="NAME=FILE", help="an image-to-image ONNX model, with FILE.toml")
    add("--identity", type=Path, metavar="FILE", help="a face embedding as ONNX, for faces of 112 px")
    add("--metrics", default="", metavar="LIST", help="of: lpips, fid, kid (needs the extra metrics and its weights)")
    add("--out", type=Path, default=Path("runs/quality"), help="where runs are kept (default: %(default)s)")
    add("--json", type=Path, metavar="FILE", help="write all figures here")
    add("--html", type=Path, metavar="FILE", help="write a report with pictures here")
    add("--against", type=Path, metavar="FILE", help="a former --json: exit status 1 where a task has lost")


def read(arguments: argparse.Namespace) -> Options:
    """The options; BadInput for those that make no sense."""
    a = arguments
    if (a.degraded is None) != (a.clean is None):
        raise BadInput("--degraded and --clean go together")
    if a.real is not None and a.degraded is not None:
        raise BadInput("--real and --degraded exclude each other")
    size = None if a.size == WHOLE else whole("--size", a.size, max(EDGES))
    if size is not None and size not in EDGES:
        raise BadInput(f"--size must be one of {', '.join(map(str, sorted(EDGES)))}, or {WHOLE}, not {size}")
    frames = whole("--frames", a.frames, MOST_FRAMES)
    if frames < 2:
        raise BadInput("--frames must be at least 2: a single frame does not flicker")
    check_target(a.json, "--json")
    check_target(a.html, "--html")
    return Options(
        folder=a.folder,
        degraded=a.degraded,
        clean=a.clean,
        real=a.real,
        tasks=tuple(LEVELS) if a.task == "all" else chosen("--task", a.task, tuple(LEVELS)),
        strengths=chosen("--strength", a.strength, tuple(STRENGTHS)),
        prompts=chosen("--prompt", a.prompt, PROMPTS),
        runs=chosen("--run", a.run, RUNS),
        scopes=chosen("--scope", a.scope, SCOPES),
        model=a.model,
        frames=frames,
        size=size,
        limit=None if a.limit is None else whole("--limit", a.limit, MOST_FILES),
        minutes=None if a.minutes is None else number("--minutes", a.minutes, 0.01),
        peers=a.peers == "all",
        own_peers=tuple(_peer(text) for text in a.peer),
        identity=a.identity,
        metrics=chosen("--metrics", a.metrics, METRICS) if a.metrics else (),
        out=a.out,
        json=a.json,
        html=a.html,
        against=a.against,
    )


def chosen(option: str, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """Names out of `known`, in its order; BadInput for others."""
    names = {name.strip() for name in text.split(",") if name.strip()}
    odd = names - set(known)
    if odd or not names:
        raise BadInput(f"{option}: {', '.join(sorted(odd)) or 'nothing'} is not one of {', '.join(known)}")
    return tuple(name for name in known if name in names)


def _peer(text: str) -> tuple[str, Path]:
    name, sign, path = text.partition("=")
    if not (name.strip() and sign and path):
        raise BadInput(f"--peer must be NAME=FILE, not {text[:40]!r}")
    return name.strip(), Path(path)
