"""The page of what training does to a picture: every task on a face at three strengths.

Run as `python -m training.examples DOCS/degradations.jpg [--faces FOLDER]`; it prints whose faces they are.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.errors import BadInput, ClearcallError
from training.degrade import TASKS, Degradation, degrade
from training.faces import FaceFile, Picture, attributions, list_faces, load_still
from training.planar import bgr_frame

FACES = Path(__file__).resolve().parents[2] / "shared" / "data" / "dev"
STRENGTHS = (("mild", 0.15), ("middle", 0.5), ("strong", 1.0))
TILE, COLUMNS = 192, 2
MIXTURE = {"low light": 0.6, "noise": 0.5, "compression": 0.5}
FRAMES = 6
QUALITY = 82


def rows() -> list[tuple[str, dict[str, float]]]:
    """What is shown: each task by itself, and a mixture; levels at full strength."""
    return [(task, {task: 1.0}) for task in TASKS] + [(", ".join(MIXTURE), MIXTURE)]


def spread(files: list[FaceFile], count: int) -> list[FaceFile]:
    """So many stills from all over the folder."""
    stills = [file for file in files if not file.clip]
    if len(stills) < count:
        raise BadInput(f"the page needs {count} stills, not {len(stills)}")
    return [stills[round(place)] for place in np.linspace(0, len(stills) - 1, count)]


def row(picture: Picture, name: str, levels: dict[str, float]) -> Picture:
    """The picture [TILE,TILE,3] by itself, then damaged at each strength."""
    tiles = [_labelled(picture, "clean")]
    for strength, factor in STRENGTHS:
        scaled = {task: factor * level for task, level in levels.items()}
        planes = degrade([picture] * FRAMES, Degradation(scaled), np.random.default_rng(3))
        tiles.append(_labelled(bgr_frame(planes, FRAMES - 1), name if strength == "mild" else "", strength))
    return np.hstack(tiles)


def middle(still: Picture) -> Picture:
    """Its middle square at the page's size, where a portrait has its face."""
    edge = min(still.shape[:2]) * 4 // 5
    top, left = (still.shape[0] - edge) // 2, (still.shape[1] - edge) // 2
    square = still[top : top + edge, left : left + edge]
    return np.asarray(cv2.resize(square, (TILE, TILE), interpolation=cv2.INTER_AREA), np.uint8)


def _labelled(tile: Picture, *words: str) -> Picture:
    out = tile.copy()
    places = (16, TILE - 8) if len(words) > 1 else (TILE - 8,)
    for word, y in zip(words, places, strict=True):
        for colour, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
            cv2.putText(out, word, (6, y), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, width, cv2.LINE_AA)
    return out


def page(files: list[FaceFile]) -> NDArray[np.uint8]:
    """The page, from one still a row."""
    strips = [row(middle(load_still(f.path)), *what) for f, what in zip(files, rows(), strict=True)]
    return np.vstack([np.hstack(strips[i : i + COLUMNS]) for i in range(0, len(strips), COLUMNS)])


def main(argv: list[str] | None = None) -> int:
    """Draw the page; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.examples", description=__doc__.split("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--faces", type=Path, default=FACES, help="folder of stills")
    arguments = parser.parse_args(argv)
    try:
        files = spread(list_faces(arguments.faces), len(rows()))
        sheet = page(files)
        try:
            arguments.output.write_bytes(cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes())
        except OSError as error:
            raise BadInput(f"{arguments.output}: {error.strerror}") from error
    except ClearcallError as error:
        print(f"examples: {error}", file=sys.stderr)
        return error.exit_status
    print("\n".join(attributions(arguments.faces, files)) or "no manifest.csv says whose faces they are")
    return 0


if __name__ == "__main__":
    sys.exit(main())
