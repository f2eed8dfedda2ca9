"""Writes what is kept as training reads it: crops of photos, clips of tracks, named PERSON_what."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from engines.errors import ClearcallError
from stream.files.source import Source
from stream.files.timing import Timings
from training.curation.face import cut
from training.curation.scan import to_picture, upright_frames
from training.curation.sources import SourceFile
from training.curation.store import short, write_whole
from training.curation.verdict import Verdict

FOLDER = "kept"
CRF = 14
_OURS = re.compile(r"person-[0-9a-f]{6}_[0-9a-f]{12}\.(jpg|mp4)(\.part)?")


def file_name(verdict: Verdict) -> str:
    """Name of the crop or clip: the group before the underscore is what training takes for the person."""
    entry = verdict.entry
    return f"{verdict.person}_{short(entry.id)}.{'jpg' if entry.frames is None else 'mp4'}"


def write_kept(
    out: Path, verdicts: Sequence[Verdict], sources: dict[str, SourceFile], tick: Callable[[], None]
) -> dict[str, str]:
    """Write the crops and clips of all kept entries, and remove those that an earlier run kept and this one does not.

    Args:
        out: Output folder.
        verdicts: What was decided.
        sources: Source name to its file.
        tick: Called after each frame; may raise to stop.

    Returns:
        Entry id to file within `out`.

    Raises:
        ClearcallError: A file cannot be written or a video no longer be read.
    """
    folder = out / FOLDER
    kept = [v for v in verdicts if v.kept]
    wanted = {file_name(v) for v in kept}
    try:
        folder.mkdir(exist_ok=True)
        for path in folder.iterdir():
            if _OURS.fullmatch(path.name) and path.name not in wanted:
                path.unlink()
        for verdict in kept:
            path = folder / file_name(verdict)
            if verdict.entry.frames is None:
                write_whole(path, (out / verdict.entry.picture).read_bytes())
                tick()
            else:
                # Videos are read again as late as this: which of their seconds are wanted is known only now.
                write_clip(path, sources[verdict.entry.source].path, verdict, tick)
    except OSError as error:
        raise ClearcallError(f"cannot write {folder}: {error.strerror}") from error
    return {v.entry.id: f"{FOLDER}/{file_name(v)}" for v in kept}


def write_clip(path: Path, source_path: Path, verdict: Verdict, tick: Callable[[], None]) -> None:
    """Write the window of a track as H.264, cropped to its square; the name never stands for half a clip."""
    window, square = verdict.entry.window, verdict.entry.square
    assert window is not None
    temporary = path.with_name(path.name + ".part")
    edge = round(square.edge * square.scale())
    try:
        with Source(source_path, Timings()) as source, av.open(str(temporary), "w", format="mp4") as target:
            rate = Fraction(source.facts.picture.rate).limit_denominator(60_000)
            video = target.add_stream("libx264", rate=rate)
            video.width = video.height = edge
            video.pix_fmt = "yuv420p"
            video.options = {"crf": str(CRF)}
            context = video.codec_context
            context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU601
            # The number of threads changes the bits.
            context.thread_count = 1
            for index, frame in enumerate(upright_frames(source)):
                tick()
                if index > window.last:
                    break
                if index >= window.first:
                    # OpenCV's conversion and not FFmpeg's, which rounds down and so tints every colour by some levels.
                    planes = cv2.cvtColor(cut(to_picture(frame), square), cv2.COLOR_BGR2YUV_I420)
                    shown = av.VideoFrame.from_ndarray(np.asarray(planes, np.uint8), format="yuv420p")
                    shown.pts = index - window.first
                    shown.time_base = 1 / rate
                    target.mux(video.encode(shown))
            target.mux(video.encode(None))
        os.replace(temporary, path)
    except av.FFmpegError as error:
        raise ClearcallError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
