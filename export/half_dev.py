"""How far the half-precision graphs of a model are from those in float32, on faces it was never trained on."""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path

import numpy as np

from engines.errors import BadInput, ClearcallError
from engines.manifest import MODELS, Manifest, half_family, read_family
from export.half_check import WITHIN, Difference, Planes, compare_half
from export.parity import synthetic_frame
from training.degrade import TASKS, Degradation, degrade
from training.dev_clips import dev_clips
from training.validate import LEVEL

CLIPS, FRAMES = 7, 12
"""Files, and frames of each."""


def difference_on(whole: Manifest, half: Manifest, folder: Path | None) -> Difference:
    """Compare, and print what was found; BadInput as `clips`."""
    difference = compare_half(whole, half, clips(folder, half.crop))
    print(
        f"{half.name}: largest difference {difference.largest} of 255, "
        f"{100 * difference.beyond:.4f} % of samples off by more than {WITHIN}"
    )
    return difference


def clips(folder: Path | None, size: int) -> list[list[Planes]]:
    """Frames to compare precisions on: of the dev set, degraded by one task a file; without one, a moving pattern."""
    rng = np.random.default_rng(11)
    if folder is None:
        pattern = (synthetic_frame(size, index, rng) for index in range(FRAMES))
        return [list(pattern)]
    found = [c.frames for c in dev_clips(folder, size, CLIPS) if c.frames[0].shape[:2] == (size, size)]
    out = []
    for task, frames in zip(itertools.cycle(TASKS), found):  # noqa: B905  # as many as there are files
        longer = (frames * FRAMES)[:FRAMES]
        y, uv = degrade(longer, Degradation({task: LEVEL}), rng)
        out.append([(y[i : i + 1], uv[i : i + 1]) for i in range(len(longer))])
    if not out:
        raise BadInput(f"--dev {folder}: no picture is {size} pixels wide and high")
    return out


def main(argv: list[str] | None = None) -> int:
    """Compare the graphs of all sizes; the exit status is 1 where one is too far."""
    parser = argparse.ArgumentParser(prog="python -m export.half_dev", description=__doc__)
    parser.add_argument("--dev", type=Path, required=True, metavar="FOLDER", help="faces it was not trained on")
    parser.add_argument("--name", default="lite", help="name of the model (default: %(default)s)")
    parser.add_argument("--models", type=Path, default=MODELS, help="folder of the graphs (default: the package's)")
    arguments = parser.parse_args(argv)
    try:
        wholes, halves = (read_family(n, arguments.models) for n in (arguments.name, half_family(arguments.name)))
        found = [difference_on(whole, half, arguments.dev) for whole, half in zip(wholes, halves, strict=True)]
        return 0 if all(difference.good for difference in found) else 1
    except ClearcallError as error:
        print(f"half_dev: {error}", file=sys.stderr)
        return error.exit_status


if __name__ == "__main__":
    sys.exit(main())
