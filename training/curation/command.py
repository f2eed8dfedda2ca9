"""`clearcall curate FOLDER`: finds faces in photos and videos and says which ones are worth training on."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from pathlib import Path

from engines.errors import BadInput
from training.curation.curate import Settings, curate
from training.curation.find import FaceFinder
from training.curation.judge import KEY_VARIABLE, JudgeSettings
from training.curation.rubric import load_rubric
from training.curation.verdict import Verdict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    limits = load_rubric().limits
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="photos and videos, with all folders in it")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/curation"), help="manifest and contact sheets; goes on where it stands"
    )
    parser.add_argument("--keep", action="store_true", help="also write what is kept into OUT/kept, as train reads it")
    parser.add_argument(
        "--min-face", type=float, default=limits["size"], metavar="PX", help="smallest face (%(default)g)"
    )
    parser.add_argument(
        "--min-seconds", type=float, default=limits["seconds"], metavar="S", help="shortest track (%(default)g)"
    )
    parser.add_argument(
        "--per-person", type=int, default=0, metavar="N", help="keep at most N of people that look alike (default: all)"
    )
    parser.add_argument(
        "--judge", metavar="URL", help=f"OpenAI-compatible address that scores the faces too; key in {KEY_VARIABLE}"
    )
    parser.add_argument("--judge-model", default="default", metavar="NAME", help="model to ask for (default: default)")
    parser.add_argument(
        "--judge-timeout", type=float, default=60.0, metavar="S", help="patience with one answer (default: %(default)g)"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress and no figures")


def run(arguments: argparse.Namespace) -> int:
    """Curate; returns the exit status. BadInput for a folder without pictures or numbers out of range."""
    for name, value, most in (("face", arguments.min_face, 1e5), ("seconds", arguments.min_seconds, 1e6)):
        if not 0 < value <= most:
            raise BadInput(f"--min-{name} must be above 0 and at most {most:g}, not {value:g}")
    if arguments.per_person < 0:
        raise BadInput(f"--per-person must not be below 0, not {arguments.per_person}")
    judge = None
    if arguments.judge is not None:
        key = os.environ.get(KEY_VARIABLE, "").strip()
        judge = JudgeSettings(arguments.judge, arguments.judge_model, key, arguments.judge_timeout)
        judge.check()
        if not judge.local:
            print(f"clearcall: every face found is sent to {judge.url}", file=sys.stderr)
    rubric = load_rubric().with_limit("size", arguments.min_face).with_limit("seconds", arguments.min_seconds)
    settings = Settings(
        arguments.folder, arguments.out, rubric, arguments.per_person, arguments.keep, judge, arguments.quiet
    )
    verdicts = curate(settings, load_finder)
    if not arguments.quiet:
        print(summary(verdicts, arguments.out))
    return 0


def load_finder() -> FaceFinder:
    """The face models; FaceModelError where they are nowhere and cannot be fetched."""
    from stream.face.models import model_paths

    return FaceFinder(model_paths())


def summary(verdicts: list[Verdict], out: Path) -> str:
    """How many are kept, and how often each reason was given: those may add up to more than there are faces."""
    kept = sum(v.kept for v in verdicts)
    people = len({v.person for v in verdicts if v.kept})
    lines = [f"{kept} of {len(verdicts)} faces kept, of {people} people that look different: {out / 'manifest.json'}"]
    reasons = Counter(_kind(reason) for v in verdicts for reason in v.reasons)
    if any(len(v.reasons) > 1 for v in verdicts):
        lines.append("what is against the others, of which one may fail in several ways:")
    lines += [f"{count:6d} {reason}" for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))]
    return "\n".join(lines)


def _kind(reason: str) -> str:
    return "same picture as another" if reason.startswith("same picture") else reason.split(":")[0].split(",")[0]
