"""The graphs of a family once more for CPUs: convolutions in 8-bit integers, if that is hardly seen.

For graphs that are there already:

    python -m export.int8_family --calibrate ../shared/data/train --dev ../shared/data/dev [--name lite] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import onnx

from engines.engine import Engine
from engines.errors import ClearcallError
from engines.manifest import MODELS, Manifest, StoredFile, int8_family, read_family, read_manifest
from engines.onnx_runtime import OrtEngine
from export.int8 import Feeds, convolutions, to_int8
from export.int8_check import ALLOWED_DB, Case, Loss, cases, losses, report, restored, scores, worst
from export.int8_frames import feeds, samples
from export.onnx_graph import SharedWeights, check_operators, stored_file
from training.measures import psnr

TRIES = (0, 1, 2, 4, 6, 9)
"""How many of the convolutions that do most harm stay float32, one try after the other."""
HARM_CASES = 7
"""Cases that harm is judged by, with each convolution by itself: one a task."""

Say = Callable[[str], object]
FramesOf = Callable[[Manifest], Iterable[Feeds]]
CasesOf = Callable[[Manifest], list[Case]]


@dataclass(frozen=True, slots=True)
class Made:
    """What became of it."""

    manifests: list[Manifest]
    """Empty where it is refused"""
    kept: list[str]
    """Names of weights that had to stay float32 besides those that always do"""
    found: dict[str, list[Loss]]
    """Name of each graph to its losses"""


def export_int8(manifests: Sequence[Manifest], folder: Path, frames: FramesOf, judged: CasesOf, say: Say) -> Made:
    """Write `<family>-int8-<size>.onnx` and `.json` and `<family>-int8.data`; nothing where two tasks lose too much.

    One may: its manifests say that they are unfit for it, and the run time takes float32 where the prompt has it.

    Args:
        manifests: The float32 graphs of one family.
        folder: Where the new files go.
        frames: Gives what a graph is calibrated with.
        judged: Gives what a graph is judged on.
        say: Told what is going on, in lines.
    """
    given = {m.name: judged(m) for m in manifests}
    whole = {m.name: scores(OrtEngine(m), given[m.name]) for m in manifests}
    harmful: list[str] | None = None
    kept: list[str] = []
    spared: str | None = None
    for count in TRIES:
        if count:
            if harmful is None:
                others = [case for case in given[manifests[0].name] if case.task != spared]
                harmful = by_harm(manifests[0], frames, others)
            kept = harmful[:count]
            say(f"kept in float32: {', '.join(kept)}")
        made = _write(manifests, folder, kept, frames)
        found = {}
        for before, after in zip(manifests, made, strict=True):
            found[after.name] = losses(whole[before.name], scores(OrtEngine(after), given[before.name]))
            say(report(after.name, found[after.name]))
        every = [loss for each in found.values() for loss in each]
        if spared is None and worst(every).db > ALLOWED_DB:
            spared = worst(every).prompt
            say(f"{spared} is left to float32")
        most = worst([loss for loss in every if loss.prompt != spared])
        if most.db <= ALLOWED_DB:
            _note(made, kept, found)
            return Made([read_manifest(m.graph.path.with_suffix(".json")) for m in made], kept, found)
    remove(manifests[0].family, folder)
    say(f"{int8_family(manifests[0].family)} is not shipped: {most.task} loses {most.db:.2f} dB, {ALLOWED_DB} at most")
    return Made([], kept, found)


def remove(family: str, folder: Path) -> None:
    """Delete a model's graphs in integers: they are of other weights, or lose too much."""
    for path in folder.glob(f"{int8_family(family)}[-.]*"):
        path.unlink()


def by_harm(manifest: Manifest, frames: FramesOf, judged: Sequence[Case]) -> list[str]:
    """Weights by what their convolution alone costs the task that it harms most, in dB; the worst first."""
    model = onnx.load(str(manifest.graph.path))
    few = [next(c for c in judged if c.task == task) for task in dict.fromkeys(c.task for c in judged)][:HARM_CASES]

    def quality(engine: Engine) -> list[float]:
        return [psnr(restored(engine, case, case.prompt), case.clean) for case in few]

    exact = quality(OrtEngine(manifest))
    harm = {}
    for weight, node in convolutions(model).items():
        rough = quality(_engine(manifest, to_int8(model, [node], frames(manifest))))
        harm[weight] = max(whole - part for whole, part in zip(exact, rough, strict=True))
    return sorted(harm, key=lambda weight: -harm[weight])


def _engine(manifest: Manifest, model: onnx.ModelProto) -> OrtEngine:
    """What runs another graph with the same ends."""
    with tempfile.TemporaryDirectory(prefix="clearcall-") as folder:
        path = Path(folder) / "graph.onnx"
        onnx.save(model, str(path))
        return OrtEngine(replace(manifest, graph=StoredFile(path, stored_file(path)["sha256"])))


def _write(manifests: Sequence[Manifest], folder: Path, kept: Collection[str], frames: FramesOf) -> list[Manifest]:
    family = int8_family(manifests[0].family)
    weights = SharedWeights(folder / f"{family}.data")
    contents: list[tuple[Path, dict[str, Any]]] = []
    for manifest in manifests:
        model = onnx.load(str(manifest.graph.path))
        model = to_int8(model, list(convolutions(model, kept).values()), frames(manifest))
        check_operators(model)
        weights.move_out(model)
        path = folder / f"{family}-{manifest.crop}.onnx"
        onnx.save(model, str(path))
        content = json.loads((manifest.graph.path.parent / f"{manifest.name}.json").read_text(encoding="utf-8"))
        contents.append(
            (path.with_suffix(".json"), {**content, "name": path.stem, "family": family, "graph": stored_file(path)})
        )
    weights.write()
    for path, content in contents:
        _save(path, {**content, "weights": stored_file(folder / f"{family}.data")})
    return [read_manifest(path) for path, _ in contents]


def _note(made: Sequence[Manifest], kept: Sequence[str], found: dict[str, list[Loss]]) -> None:
    """Let the manifests tell what was lost."""
    for manifest in made:
        path = manifest.graph.path.with_suffix(".json")
        content = json.loads(path.read_text(encoding="utf-8"))
        lost = {loss.task: round(loss.db, 3) for loss in found[manifest.name]}
        content["training"] = {**content["training"], "int8": {"lost_db": lost, "also_float32": list(kept)}}
        content["unfit"] = sorted({loss.prompt for loss in found[manifest.name] if loss.db > ALLOWED_DB})
        _save(path, content)


def _save(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def from_folders(train: Path, dev: Path, limit: int | None = None) -> tuple[FramesOf, CasesOf]:
    """Calibration frames from training faces, and cases from others."""
    return (
        lambda manifest: feeds(manifest, samples(train, manifest.crop)),
        lambda manifest: cases(dev, manifest.crop, manifest.shape("regions")[-1], limit),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Make the family of graphs that are there already; 1 where it is refused."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="lite", help="model (default: lite)")
    parser.add_argument("--models", type=Path, default=MODELS, help="folder of its graphs (default: the package's)")
    parser.add_argument("--out", type=Path, help="folder for the new ones (default: the same)")
    parser.add_argument("--calibrate", type=Path, required=True, metavar="FOLDER", help="faces it was trained on")
    parser.add_argument("--dev", type=Path, required=True, metavar="FOLDER", help="other faces, to judge it on")
    parser.add_argument("--limit", type=int, help="judge on so many of them (default: all)")
    arguments = parser.parse_args(argv)
    try:
        out = arguments.out or arguments.models
        out.mkdir(parents=True, exist_ok=True)
        family = read_family(arguments.name, arguments.models)
        frames, judged = from_folders(arguments.calibrate, arguments.dev, arguments.limit)
        with tempfile.TemporaryDirectory(dir=out, prefix=".int8-") as staging:
            made = export_int8(family, Path(staging), frames, judged, lambda text: print(text, flush=True))
            remove(arguments.name, out)
            for path in sorted(Path(staging).iterdir()):
                os.replace(path, out / path.name)
    except ClearcallError as error:
        print(f"int8_family: {error}", file=sys.stderr)
        return error.exit_status
    return 0 if made.manifests else 1


if __name__ == "__main__":
    sys.exit(main())
