"""A page about a training run: `python -m training.report RUN PAGE.html [--dev FOLDER] [--faces FOLDER]`.

Curves come from the run's train.log; with --dev, what the checkpoint makes of faces it never saw; with --faces, clips
as they are drawn from that folder, as a contact sheet and a video. The page holds everything itself; curves and
pictures of before and after lie beside it as PAGE-NAME.png, too.
"""

from __future__ import annotations

import argparse
import base64
import sys
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import cv2

from engines.errors import BadInput, ClearcallError
from training.checkpoint import load_checkpoint, load_generator
from training.dev_clips import dev_clips
from training.faces import Picture, list_faces
from training.landmarks import find_landmarks
from training.log_reading import RunLog, read_log
from training.plot import Plot, as_picture, as_svg
from training.report_curves import curves, table
from training.report_pictures import Strip, contact_sheet, drawn, strips, video
from training.samples import Samples, SampleShape

DEV_EDGE, DEV_FILES = 320, 8
SHEET_CLIPS, VIDEO_CLIPS, VIDEO_FRAMES = 16, 9, 24
STYLE = """body{font:15px/1.45 system-ui,sans-serif;max-width:1000px;margin:2em auto;padding:0 1em;color:#222}
svg,img,video{max-width:100%;height:auto;display:block;margin:1em 0}.plots{display:flex;flex-wrap:wrap;gap:0 2em}
table{border-collapse:collapse}td,th{padding:.15em .8em;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left}figcaption{color:#555}figure{margin:0 0 1.2em}"""


def page(name: str, log: RunLog, provenance: dict[str, Any], plots: Mapping[str, Plot], parts: list[str]) -> str:
    """The page as HTML.

    Args:
        name: Of the run.
        log: What it says.
        provenance: As the checkpoint has it; may be empty.
        plots: Its curves.
        parts: Further sections.
    """
    body = [f"<h1>Training run {escape(name)}</h1>", *_facts(log, provenance), *_curves(plots), *table(log), *parts]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(name)}</title>'
        f"<style>{STYLE}</style><body>{''.join(body)}</body></html>\n"
    )


def _facts(log: RunLog, provenance: dict[str, Any]) -> Iterator[str]:
    minutes = max((points[-1][0] for points in log.losses.values()), default=0.0)
    yield f"<p>{log.steps} steps in {minutes:g} minutes.</p><table>"
    for key, value in provenance.items():
        text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
        yield f"<tr><td>{escape(key)}</td><td style='text-align:left'>{escape(text)}</td></tr>"
    yield "</table>"


def _curves(plots: Mapping[str, Plot]) -> Iterator[str]:
    yield '<h2>Curves</h2><div class="plots">'
    yield from (as_svg(plot) for plot in plots.values())
    yield "</div>"


def dev_part(made: Sequence[Strip]) -> str:
    """Before and after, from the checkpoint's averaged weights."""
    figures = []
    for task, picture, (before, known, auto) in made:
        caption = f"{task}: input {before:.2f} dB, prompt known {known:.2f}, auto {auto:.2f}; clean at the right"
        figures.append(f"<figure>{_image(picture)}<figcaption>{escape(caption)}</figcaption></figure>")
    return "<h2>Before and after</h2>" + "".join(figures)


def clips_part(faces: Path, landmarks: Path, seed: int) -> str:
    """What training sees."""
    files = list_faces(faces)
    found = find_landmarks(files, landmarks)
    sheet = contact_sheet(drawn(Samples(files, found, SampleShape(), seed), SHEET_CLIPS))
    moving = video(drawn(Samples(files, found, SampleShape(frames=VIDEO_FRAMES), seed), VIDEO_CLIPS))
    source = f"data:video/mp4;base64,{base64.b64encode(moving).decode()}"
    return (
        "<h2>Clips as training draws them</h2><p>Damaged, and clean at the right of it.</p>"
        f"{_image(sheet)}<video controls loop muted src='{source}'></video>"
    )


def write(path: Path, content: bytes) -> None:
    """BadInput where it cannot be written."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error


def encoded(picture: Picture, ending: str) -> bytes:
    """A picture as a file of that kind."""
    return cv2.imencode(ending, picture, [cv2.IMWRITE_JPEG_QUALITY, 85] if ending == ".jpg" else [])[1].tobytes()


def _image(picture: Picture) -> str:
    content = encoded(picture, ".jpg")
    return f'<img src="data:image/jpeg;base64,{base64.b64encode(content).decode()}" alt="">'


def main(argv: list[str] | None = None) -> int:
    """Write the page; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.report", description=__doc__.split(":")[0])
    parser.add_argument("run", type=Path, metavar="RUN", help="folder with train.log and last.pt")
    parser.add_argument("page", type=Path, metavar="PAGE.html")
    parser.add_argument("--dev", type=Path, metavar="FOLDER", help="people never trained on, to show before and after")
    parser.add_argument("--faces", type=Path, metavar="FOLDER", help="show clips drawn from it")
    parser.add_argument("--seed", type=int, default=1, help="of these clips (default: %(default)d)")
    arguments = parser.parse_args(argv)
    try:
        if not 0 <= arguments.seed < 2**32:
            raise BadInput(f"--seed must be 0 to 4294967295, not {arguments.seed}")
        log, last = read_log(arguments.run / "train.log"), arguments.run / "last.pt"
        provenance = load_checkpoint(last).get("provenance", {}) if last.exists() else {}
        plots, parts = curves(log), []
        pictures = {name: as_picture(plot) for name, plot in plots.items()}
        if arguments.dev is not None:
            made = strips(load_generator(last)[0], dev_clips(arguments.dev, DEV_EDGE, DEV_FILES))
            parts.append(dev_part(made))
            pictures |= {f"strip-{task.replace(' ', '-')}": picture for task, picture, _ in made}
        if arguments.faces is not None:
            parts.append(clips_part(arguments.faces, arguments.run / "landmarks.npz", arguments.seed))
        content = page(arguments.run.resolve().name, log, provenance, plots, parts)
        write(arguments.page, content.encode())
        for name, picture in pictures.items():
            write(arguments.page.with_name(f"{arguments.page.stem}-{name}.png"), encoded(picture, ".png"))
    except ClearcallError as error:
        print(f"report: {error}", file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
