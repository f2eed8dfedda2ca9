"""`clearcall export CHECKPOINT`: a trained generator to ONNX graphs with manifests."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from engines.errors import BadInput, ClearcallError, ModelError
from engines.manifest import MODELS, Manifest, int8_family, read_manifest
from export.half_dev import difference_on
from export.half_family import export_half
from export.int8_family import export_int8, from_folders, remove
from export.onnx_graph import Variant, export_variants, offline_variants
from export.parity import LARGEST, compare
from export.replacing import compare_dev
from generator.model import Generator
from stream.face.models import model_paths
from training.checkpoint import load_generator
from training.codes import code_use
from training.dev_clips import dev_clips
from training.landmarks import StillLandmarks
from training.validate import validate

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
    parser.add_argument(
        "--calibrate",
        type=Path,
        metavar="FOLDER",
        help="faces it was trained on: graphs in 8-bit integers too, judged on those of --dev; without it, those that "
        "are there are deleted, as they are of other weights",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace a model that does better on --dev, mean over tasks, all the same"
    )
    parser.add_argument("--log", type=Path, help="training log, to be kept beside the model (default: the run's)")


def scores(generator: Generator, folder: Path) -> dict[str, dict[str, float]]:
    """Task to PSNR in dB: of the input, of the output under the right prompt, under auto and under the task's name.

    Beside these, what else `training.validate.Score` says of the output under auto.
    """
    judged = validate(generator, dev_clips(folder, DEV_EDGE), StillLandmarks(model_paths()))
    return {
        s.task: {"input": round(s.before, 2), "output": round(s.after, 2), "auto": round(s.auto, 2)}
        | {"word": round(s.word, 2)}
        | {name: float(f"{value:.4g}") for name, value in s.more.items()}
        for s in judged
    }


def replaced(name: str, folder: Path) -> Manifest | None:
    """The manifest of the model that is there; None where there is none, or none that can be read."""
    for size in SIZES:
        with contextlib.suppress(ModelError):
            return read_manifest(folder / f"{name}-{size}.json")
    return None


def check_better(name: str, folder: Path, training: dict[str, Any], force: bool) -> None:
    """Say how a model compares with the one that it is to replace.

    Raises:
        ClearcallError: It is worse, and is not forced.
    """
    there = replaced(name, folder)
    if there is None:
        return
    found = compare_dev(training, there.training)
    if isinstance(found, str):
        print(f"not compared with the {name} that is there: {found}")
        return
    print(f"against the {name} that is there, told: {found}")
    if found.worse and not force:
        raise ClearcallError(
            f"{name} in {folder} is better by {-found.mean:.2f} dB, mean over tasks; nothing was written, "
            "--force replaces it all the same"
        )


def run(arguments: argparse.Namespace) -> int:
    """Export, check against the generator, and only then put the files in place.

    Raises:
        BadInput: The name is wrong, there is no such checkpoint, or the folder cannot be written to.
        ClearcallError: The model there is better, or a graph does not do what the generator does; nothing was replaced.
    """
    name, out, dev = arguments.name, arguments.out, arguments.dev
    if not NAME.fullmatch(name):
        raise BadInput(f"--name must be small letters, digits and hyphens, from a letter to a letter, not {name!r}")
    if arguments.calibrate and not dev:
        raise BadInput("--calibrate needs --dev: graphs in integers are shipped only where they lose next to nothing")
    generator, content = load_generator(arguments.checkpoint)
    training = _record(generator, content, dev)
    check_better(name, out, training, arguments.force)
    with _staging(out) as folder:
        made = Path(folder)
        manifests = _checked_graphs(generator, name, made, training)
        _checked_halves(manifests, dev)
        if arguments.calibrate:
            frames, judged = from_folders(arguments.calibrate, dev)
            export_int8(manifests, made, frames, judged, lambda text: print(text, flush=True))
        else:
            print(f"no graphs in 8-bit integers: --calibrate makes {int8_family(name)}")
            if any(out.glob(f"{int8_family(name)}[-.]*")):
                print(f"the {int8_family(name)} in {out} is deleted: it is of other weights", file=sys.stderr)
        log = arguments.log or arguments.checkpoint.parent / "train.log"
        if log.is_file():
            shutil.copyfile(log, made / f"{name}.train.log")
        _put_in_place(name, made, out)
    print(f"written to {out}")
    return 0


def _record(generator: Generator, content: dict[str, Any], dev: Path | None) -> dict[str, Any]:
    """Where a model comes from and how good it is, for its manifests."""
    training = {
        **content.get("provenance", {}),
        "minutes": round(content["elapsed"] / 60, 1),
        "steps": content["step"],
        "dev": scores(generator, dev) if dev else {},
    }
    if dev:
        shown = [clip.frames for clip in dev_clips(dev, DEV_EDGE)]
        training["dev_files"] = len(shown)
        training["codes"] = {n: round(s, 3) for n, s in code_use(generator, shown).items()}
    return training


def _staging(out: Path) -> tempfile.TemporaryDirectory[str]:
    """A folder inside the target, so that each file gets its final name in one move; BadInput where that cannot be."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(dir=out, prefix=".export-")
    except OSError as error:
        raise BadInput(f"--out {out}: {error.strerror}") from error


def _checked_graphs(generator: Generator, name: str, folder: Path, training: dict[str, Any]) -> list[Manifest]:
    """The float32 graphs of one step, by size; beside them those of several. ClearcallError where one is wrong."""
    variants = [*(Variant(name, size) for size in SIZES), *offline_variants(name, OFFLINE_SIZE)]
    manifests = export_variants(generator, variants, name, folder, training)
    for variant, manifest in zip(variants, manifests, strict=True):
        parity = compare(generator, manifest, integration=variant.integration)
        print(f"{manifest.name}: largest difference {parity.largest} of 255, {100 * parity.unequal:.3f} % of samples")
        if parity.largest > LARGEST:
            raise ClearcallError(f"{manifest.name} differs from the generator by {parity.largest}; nothing was written")
    return manifests[: len(SIZES)]


def _checked_halves(manifests: list[Manifest], dev: Path | None) -> None:
    """Write the graphs in half precision beside these; ClearcallError where one is too far from its own."""
    for whole, half in zip(manifests, export_half(manifests), strict=True):
        if not difference_on(whole, half, dev).good:
            raise ClearcallError(f"{half.name} is too far from {whole.name}; nothing was written")


def _put_in_place(name: str, made: Path, out: Path) -> None:
    """Move what was made to where the model is."""
    # Graphs in integers that are there are of other weights.
    remove(name, out)
    for path in sorted(made.iterdir()):
        os.replace(path, out / path.name)
