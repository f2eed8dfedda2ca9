"""`clearcall export CHECKPOINT`: a trained generator to ONNX graphs with manifests."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import tempfile
from pathlib import Path

from engines.errors import BadInput, ClearcallError
from engines.manifest import MODELS
from export.onnx_graph import Variant, export_variants, offline_variants
from export.parity import LARGEST, compare
from generator.model import Generator
from stream.face.models import model_paths
from training.checkpoint import load_generator
from training.codes import code_use
from training.landmarks import StillLandmarks
from training.validate import dev_clips, validate

SIZES = (256, 384, 512)
OFFLINE_SIZE = 512
"""Crop of the graphs with more steps than one: files have time."""
NAME = re.compile("[a-z]([a-z0-9-]*[a-z])?")
"""A family's name; a digit at its end could be taken for a crop size."""
DEV_EDGE = 384
"""Edge of the centre square that is scored, px."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("checkpoint", metavar="CHECKPOINT", type=Path, help="last.pt of a training run")
    parser.add_argument("--name", default="lite", help="name of the model (default: lite)")
    parser.add_argument(
        "--out", type=Path, default=MODELS, help="folder for graphs and manifests (default: the package's)"
    )
    parser.add_argument("--dev", type=Path, metavar="FOLDER", help="faces to score the model on, for its manifest")
    parser.add_argument("--log", type=Path, help="training log, to be kept beside the model (default: the run's)")


def scores(generator: Generator, folder: Path) -> dict[str, dict[str, float]]:
    """Task to PSNR in dB: of the input, of the output under the right prompt, and under auto."""
    judged = validate(generator, dev_clips(folder, DEV_EDGE), StillLandmarks(model_paths()))
    return {
        s.task: {"input": round(s.before, 2), "output": round(s.after, 2), "auto": round(s.auto, 2)} for s in judged
    }


def run(arguments: argparse.Namespace) -> int:
    """Export, check against the generator, and only then put the files in place.

    Raises:
        BadInput: The name is wrong, there is no such checkpoint, or the folder cannot be written to.
        ClearcallError: A graph does not do what the generator does; nothing was replaced.
    """
    name: str = arguments.name
    if not NAME.fullmatch(name):
        raise BadInput(f"--name must be small letters, digits and hyphens, from a letter to a letter, not {name!r}")
    generator, content = load_generator(arguments.checkpoint)
    training = {
        **content.get("provenance", {}),
        "minutes": round(content["elapsed"] / 60, 1),
        "steps": content["step"],
        "dev": scores(generator, arguments.dev) if arguments.dev else {},
    }
    if arguments.dev:
        training["codes"] = {n: round(s, 3) for n, s in code_use(generator, dev_clips(arguments.dev, DEV_EDGE)).items()}
    log = arguments.log or arguments.checkpoint.parent / "train.log"
    out: Path = arguments.out
    try:
        out.mkdir(parents=True, exist_ok=True)
        # Inside the target, so that each file gets its final name in one move.
        staging = tempfile.TemporaryDirectory(dir=out, prefix=".export-")
    except OSError as error:
        raise BadInput(f"--out {out}: {error.strerror}") from error
    with staging as folder:
        made = Path(folder)
        variants = [*(Variant(name, size) for size in SIZES), *offline_variants(name, OFFLINE_SIZE)]
        manifests = export_variants(generator, variants, name, made, training)
        for variant, manifest in zip(variants, manifests, strict=True):
            parity = compare(generator, manifest, integration=variant.integration)
            print(
                f"{manifest.name}: largest difference {parity.largest} of 255, {100 * parity.unequal:.3f} % of samples"
            )
            if parity.largest > LARGEST:
                raise ClearcallError(
                    f"{manifest.name} differs from the generator by {parity.largest}; nothing was written"
                )
        if log.is_file():
            shutil.copyfile(log, made / f"{name}.train.log")
        for path in sorted(made.iterdir()):
            os.replace(path, out / path.name)
    print(f"written to {out}")
    return 0
