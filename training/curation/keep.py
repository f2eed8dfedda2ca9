"""Writes what is kept as training reads it: crops of photos, clips of tracks, named PERSON_what."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from engines.errors import ClearcallError
from stream.files.source import Source
from training.curation.face import Square, cut
from training.curation.found import Span
from training.curation.scan import to_picture, upright_frames
from training.curation.sources import SourceFile
from training.curation.store import short, write_whole
from training.curation.verdict import Verdict

FOLDER = "kept"
CRF = 14
_OURS = re.compile(r"person-[0-9a-f]{6}_[0-9a-f]{12}\.(jpg|mp4)(\.part)?")


def file_name(verdict: Verdict) -> str:
    """Name of the crop or clip: the group before the underscore is what training takes for the person.

    The rest stands for what is in it, so that a file that is there need not be written again.
    """
    entry = verdict.entry
    content = short(
        json.dumps([entry.id, entry.measures, astuple(entry.square), entry.window and astuple(entry.window)])
    )
    return f"{verdict.person}_{content}.{'jpg' if entry.frames is None else 'mp4'}"


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
        clips: dict[str, list[Clip]] = {}
        for verdict in kept:
            path, entry = folder / file_name(verdict), verdict.entry
            if path.exists():
                continue
            if entry.window is None:
                write_whole(path, (out / entry.picture).read_bytes())
                tick()
            else:
                clips.setdefault(entry.source, []).append(Clip(path, entry.square, entry.window))
        # Videos are read again as late as this: which of their seconds are wanted is known only now.
        for name, wanted_clips in clips.items():
            write_clips(sources[name].path, wanted_clips, tick)
    except OSError as error:
        raise ClearcallError(f"cannot write {folder}: {error.strerror}") from error
    # A video that was cut short meanwhile may have no such seconds any more.
    return {v.entry.id: f"{FOLDER}/{file_name(v)}" for v in kept if (folder / file_name(v)).exists()}


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip to be written."""

    path: Path
    square: Square
    window: Span

    @property
    def part(self) -> Path:
        """Where it grows: its name never stands for half a clip."""
        return self.path.with_name(self.path.name + ".part")


def write_clips(source_path: Path, clips: list[Clip], tick: Callable[[], None]) -> None:
    """Write windows of one video as H.264, each cropped to its square; the video is read once."""
    try:
        with Source(source_path) as source, ExitStack() as stack:
            rate = Fraction(source.facts.picture.rate).limit_denominator(60_000)
            for clip in clips:
                stack.callback(clip.part.unlink, missing_ok=True)
            writers: dict[Path, Writer] = {}
            for index, frame in enumerate(upright_frames(source)):
                tick()
                for clip in clips:
                    if clip.window.first <= index <= clip.window.last:
                        if clip.path not in writers:
                            writers[clip.path] = stack.enter_context(Writer(clip, rate))
                        writers[clip.path].add(frame)
                    if index == clip.window.last and clip.path in writers:
                        writers.pop(clip.path).finish()
                if index >= max(clip.window.last for clip in clips):
                    break
            for writer in writers.values():
                writer.finish()  # the video has become shorter since it was scanned
    except av.FFmpegError as error:
        raise ClearcallError(f"cannot write clips of {source_path}: {error.strerror or error}") from error


class Writer:
    """One clip on its way to the disk."""

    def __init__(self, clip: Clip, rate: Fraction) -> None:
        self._clip, self._rate, self._count = clip, rate, 0
        self._target = av.open(str(clip.part), "w", format="mp4")
        self._video = self._target.add_stream("libx264", rate=rate)
        self._video.width = self._video.height = round(clip.square.edge * clip.square.scale())
        self._video.pix_fmt = "yuv420p"
        self._video.options = {"crf": str(CRF)}
        context = self._video.codec_context
        context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU601
        # The number of threads changes the bits.
        context.thread_count = 1

    def add(self, frame: av.VideoFrame) -> None:
        """Crop the next frame and encode it."""
        # OpenCV's conversion and not FFmpeg's, which rounds down and so tints every colour by some levels.
        planes = cv2.cvtColor(cut(to_picture(frame), self._clip.square), cv2.COLOR_BGR2YUV_I420)
        shown = av.VideoFrame.from_ndarray(np.asarray(planes, np.uint8), format="yuv420p")
        shown.pts, shown.time_base = self._count, 1 / self._rate
        self._count += 1
        self._target.mux(self._video.encode(shown))

    def finish(self) -> None:
        """Complete the clip and give it its name."""
        self._target.mux(self._video.encode(None))
        self._target.close()
        os.replace(self._clip.part, self._clip.path)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self._target.close()
