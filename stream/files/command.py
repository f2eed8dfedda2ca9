"""`clearcall filter INPUT OUTPUT`: restores the face, or the whole picture, in a video file."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from engines.errors import BadInput
from engines.manifest import OFFLINE_STEPS, offline_family
from stream import threads
from stream.files.compare import doubled
from stream.files.facts import check_readable
from stream.files.job import FrameFilter, Stop, filter_file
from stream.files.progress import Progress
from stream.files.sink import Sink
from stream.files.source import Source
from stream.files.summary import notes, summary
from stream.files.target import check_writable
from stream.files.upright import Upright
from stream.scope import FILE, Scope, of_file, tiles_of
from stream.wishes import check_prompt, parse_strength


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("input", metavar="INPUT", type=Path, help="video file to read")
    parser.add_argument("output", metavar="OUTPUT", type=Path, help="video to write: .mp4, .m4v, .mov, .mkv, .webm")
    parser.add_argument("--prompt", default="auto", help="what to remove, such as noise; auto finds out (default)")
    parser.add_argument("--strength", default="1", help="0 changes nothing, 1 restores fully (default)")
    parser.add_argument(
        "--scope",
        choices=("auto", "face", "frame"),
        default="auto",
        help="what to restore; auto: frame, with --fast face (default: auto)",
    )
    parser.add_argument("--fast", action="store_true", help="as fast as it goes: the generator restores the face alone")
    parser.add_argument("--lossless", action="store_true", help="write FFV1, which keeps every bit (.mkv)")
    parser.add_argument("--compare", action="store_true", help="write before and after side by side")
    parser.add_argument("--model", default="lite", help="model to use (default: lite)")
    parser.add_argument("--steps", type=int, default=1, help="steps of the flow: 1 as in a call (default), or 2, 4, 8")
    parser.add_argument("--invert", action="store_true", help="first backwards without a prompt; with --steps 2, 4, 8")
    parser.add_argument("--engine", default="auto", help="what to run it on; auto finds the best (default: auto)")
    parser.add_argument("--quiet", action="store_true", help="no progress and no figures")


def run(arguments: argparse.Namespace) -> int:
    """Filter one file; returns the exit status.

    Raises:
        BadInput: The call or the input is wrong; nothing was written.
        ClearcallError: It failed on the way; nothing is left behind.
    """
    source_path: Path = arguments.input
    lossless: bool = arguments.lossless
    compare: bool = arguments.compare
    quiet: bool = arguments.quiet
    # What costs nothing is checked first, the model is loaded last.
    prompt, strength = check_prompt(arguments.prompt), parse_strength(arguments.strength, "--strength")
    scope = of_file(arguments.scope, arguments.fast)
    model = model_name(arguments.model, arguments.steps, arguments.invert)
    check_readable(source_path)
    final = check_writable(arguments.output, source_path, lossless)
    with Source(source_path) as source:
        picture = source.facts.picture
        _check_format(source_path, picture.pix_fmt)
        display = source.facts.display
        tell = (lambda _: None) if quiet else _tell
        frame_filter = load_filter(model, prompt, strength, arguments.engine, scope, tell)
        if display.quarters:
            frame_filter = Upright(frame_filter, display.quarters)
        try:
            size = picture.width, picture.height
            size = doubled(*size, picture.pix_fmt, display.right) if compare else size
            progress = Progress(source.facts.frames, sys.stderr, quiet=quiet)
            with Stop() as stop, Sink(final, source, size, lossless) as sink:
                try:
                    counts = filter_file(source, sink, frame_filter, compare, progress, stop)
                finally:
                    progress.close()
            for text in notes(source, sink.left_out):
                print(f"clearcall: {text}", file=sys.stderr)
            if not quiet:
                print(summary(counts, frame_filter.figures(), source.decoding), file=sys.stderr)
        finally:
            frame_filter.close()
    return 0


def _tell(line: str) -> None:
    print(f"clearcall: {line}", file=sys.stderr)


def load_filter(
    model: str,
    prompt: str,
    strength: float,
    engine: str = "auto",
    scope: Scope = FILE,
    tell: Callable[[str], None] = _tell,
) -> FrameFilter:
    """The filter with its model; `tell` gets a line that says what is restored, what runs it, and why nothing better.

    BadInput for an unknown model or prompt, ModelError for damaged files.
    """
    # Here and not above: wrong calls and --help need not wait for the engines.
    from stream.filter import FaceFilter
    from stream.models import engine_line, open_model

    opened = open_model(model, threads.for_files(os.cpu_count() or 1), engine=engine)
    face_filter = FaceFilter(opened, prompt, strength, tiles=tiles_of(opened) if scope.whole else None)
    tell(f"{scope.why}; {engine_line(opened)}")
    return face_filter


def model_name(model: str, steps: int, invert: bool) -> str:
    """The family of graphs that takes so many steps; BadInput for a number there is none for."""
    offered = ", ".join(map(str, OFFLINE_STEPS))
    if steps == 1:
        if invert:
            raise BadInput(f"--invert needs --steps {offered}: a single step starts from the picture as it is")
        return model
    if steps not in OFFLINE_STEPS:
        raise BadInput(f"--steps must be 1, {offered}, not {steps}")
    return offline_family(model, steps, invert)


def _check_format(path: Path, pix_fmt: str) -> None:
    from stream.frames.layout import supported

    if not supported(pix_fmt):
        raise BadInput(f"{path} has the pixel format {pix_fmt}, which clearcall does not know")
