"""A page about a training run: `python -m training.report RUN PAGE.html [--dev FOLDER] [--faces FOLDER]`.

Curves come from the run's train.log; with --dev, what the checkpoint makes of faces it never saw; with --faces, clips
as they are drawn from that folder, as a contact sheet and a video. The page holds everything itself.
"""

from __future__ import annotations

import argparse
import base64
import sys
from collections.abc import Iterator
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
from training.plot import line_plot
from training.report_pictures import contact_sheet, drawn, strips, video
from training.samples import Samples, SampleShape

DEV_EDGE, DEV_FILES = 320, 8
SHEET_CLIPS, VIDEO_CLIPS, VIDEO_FRAMES = 16, 9, 24
STYLE = """body{font:15px/1.45 system-ui,sans-serif;max-width:1000px;margin:2em auto;padding:0 1em;color:#222}
svg,img,video{max-width:100%;height:auto;display:block;margin:1em 0}svg text{font-size:11px;fill:#444}
svg text[fill]{fill:revert-layer}svg .title{font-size:13px;font-weight:600}svg .grid{stroke:#ddd}
table{border-collapse:collapse}td,th{padding:.15em .8em;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left}figcaption{color:#555}figure{margin:0 0 1.2em}"""


def page(name: str, log: RunLog, provenance: dict[str, Any], parts: list[str]) -> str:
    """The page as HTML.

    Args:
        name: Of the run.
        log: Its curves.
        provenance: As the checkpoint has it; may be empty.
        parts: Further sections.
    """
    body = [f"<h1>Training run {escape(name)}</h1>", *_facts(log, provenance), *_curves(log), *_scores(log), *parts]
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


def _curves(log: RunLog) -> Iterator[str]:
    yield "<h2>Curves</h2>"
    yield line_plot("Loss", "thousandths", {"loss": log.losses.get("loss", [])}, logarithmic=True)
    terms = {name: points for name, points in log.losses.items() if name != "loss"}
    yield line_plot("Its terms", "thousandths", terms, logarithmic=True)
    for title, curves in (("Gain on dev, prompt known", log.after), ("Gain on dev, prompt auto", log.auto)):
        yield line_plot(title, "dB", {task: _gain(log, task, points) for task, points in curves.items()})


def _gain(log: RunLog, task: str, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    if task == "clean":
        return []  # left alone, it gains nothing; what auto does to it is in the table
    return [(m, value - before) for (m, value), (_, before) in zip(points, log.before[task], strict=True)]


def _scores(log: RunLog) -> Iterator[str]:
    if not log.after:
        return
    yield "<h2>Last scores on dev, PSNR in dB</h2><table>"
    yield "<tr><th>task</th><th>input</th><th>known</th><th>auto</th></tr>"
    for task in log.after:
        values = "".join(f"<td>{curves[task][-1][1]:.2f}</td>" for curves in (log.before, log.after, log.auto))
        yield f"<tr><td>{escape(task)}</td>{values}</tr>"
    yield "</table>"


def dev_part(checkpoint: Path, dev: Path) -> str:
    """Before and after, from the checkpoint's averaged weights."""
    generator, _ = load_generator(checkpoint)
    figures = []
    for task, picture, (before, known, auto) in strips(generator, dev_clips(dev, DEV_EDGE, DEV_FILES)):
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


def _image(picture: Picture) -> str:
    content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
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
        parts = []
        if arguments.dev is not None:
            parts.append(dev_part(last, arguments.dev))
        if arguments.faces is not None:
            parts.append(clips_part(arguments.faces, arguments.run / "landmarks.npz", arguments.seed))
        try:
            arguments.page.write_text(page(arguments.run.resolve().name, log, provenance, parts), encoding="utf-8")
        except OSError as error:
            raise BadInput(f"{arguments.page}: {error.strerror}") from error
    except ClearcallError as error:
        print(f"report: {error}", file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
