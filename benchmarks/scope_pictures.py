"""A frame as a call shows it, with its face restored, and restored whole: dark room, haze and noise, at full size.

Run as `python -m benchmarks.scope_pictures DOCS [--film FILE] [--prompt auto]`: one JPEG for each goes into the folder,
the three frames one below the other, and it prints under which licence the film is. The damage is that of `clearcall
bench quality`, over a clip of frames of which the last is shown.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from benchmarks.quality.methods import PROMPTS, SCOPES, pipeline
from benchmarks.quality.pictures import bgr
from benchmarks.quality.protocol import DARK, Case, damaged, read_source
from engines.errors import BadInput, ClearcallError
from stream.models import Model, open_model
from training.degrade import Planar
from training.faces import CLIPS, FaceFile, Picture, attributions

FILM = Path(__file__).resolve().parents[2] / "shared" / "data" / "call" / "p030_call_720p.mp4"
TASKS = {"dark-room": DARK, "haze": "haze", "noise": "noise"}
"""Names of the pictures, and the tasks of the quality run that they show"""
FRAMES = 12
QUALITY = 88


def picture(model: Model, case: Case, prompt: str) -> Picture:
    """The last frame [3H,W,3]: as it came, with scope face, with scope frame; BGR."""
    clips = {"before": case.bad}
    for scope in SCOPES:
        result = pipeline(model, prompt, scope).run(case)
        assert result is not None  # the damage is known, and with it every prompt
        clips[f"scope {scope}"] = result.clip
    return np.vstack([_labelled(_last(clip), name) for name, clip in clips.items()])


def _last(clip: Planar) -> Picture:
    return bgr((clip[0][-1:], clip[1][-1:]))[0]


def _labelled(frame: Picture, words: str) -> Picture:
    out = frame.copy()
    for colour, width in (((0, 0, 0), 4), ((255, 255, 255), 2)):
        cv2.putText(out, words, (12, len(out) - 16), cv2.FONT_HERSHEY_SIMPLEX, 0.9, colour, width, cv2.LINE_AA)
    return out


def main(argv: list[str] | None = None) -> int:
    """Draw the pictures; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scope_pictures", description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--film", type=Path, default=FILM, help="clean film with a face in it, or a still")
    parser.add_argument("--prompt", choices=PROMPTS, default="auto", help="right: told what was done (default: auto)")
    parser.add_argument("--frames", type=int, default=FRAMES, help="how many the filter has seen (default: 12)")
    parser.add_argument("--model", default="lite")
    arguments = parser.parse_args(argv)
    film: Path = arguments.film
    try:
        if arguments.frames < 1:
            raise BadInput(f"--frames must be at least 1, not {arguments.frames}")
        file = FaceFile(film, film.stem.split("_")[0], film.suffix.lower() in CLIPS)
        model, source = open_model(arguments.model), read_source(file, arguments.frames, None)
        for name, task in TASKS.items():
            shown = picture(model, damaged(source, task, "middle", None), arguments.prompt)
            path: Path = arguments.folder / f"whole-frame-{name}.jpg"
            try:
                path.write_bytes(cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes())
            except OSError as error:
                raise BadInput(f"{path}: {error.strerror}") from error
            print(path)
    except ClearcallError as error:
        print(f"scope_pictures: {error}", file=sys.stderr)
        return error.exit_status
    print("\n".join(attributions(film.parent, [file])) or "no manifest.csv says whose film it is")
    return 0


if __name__ == "__main__":
    sys.exit(main())
