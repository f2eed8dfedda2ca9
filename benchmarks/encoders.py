"""What an encoder's settings cost and give, at one bitrate: time of a frame beside PSNR and SSIM of what is decoded.

    python -m benchmarks.encoders FILM [--bitrate 2500000] [--frames 150]

Settings take turns, frame by frame, so that a machine that slows down slows all alike. Times are of the encoding alone.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from engines.errors import BadInput, ClearcallError
from stream.frames.pixels import plane_rows
from stream.relay.aiortc_tuning import START_BITRATE, h264_codec, vp8_codec
from training.degrade import Planar
from training.measures import ssim

WARM_UP = 15
"""Frames at the start that do not count: a key frame, and rate control that finds its feet."""
FPS = 30
SSIM_EVERY = 5
"""Frames from one whose SSIM is taken to the next: it takes longer than encoding."""
Luma = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Setting:
    """An encoder with options that differ from a call's."""

    name: str
    kind: str
    """vp8 or h264"""
    changed: dict[str, str]
    encoder: str = "libx264"
    in_use: bool = False


def settings() -> list[Setting]:
    """All that are compared."""
    made = [
        Setting(f"vp8 cpu-used {speed}", "vp8", {"cpu-used": str(speed)}, in_use=speed == -8)
        for speed in (-4, -6, -8, -10, -12, -16)
    ]
    made += [
        Setting(f"vp8 cpu-used -8 noise {level}", "vp8", {"cpu-used": "-8", "noise-sensitivity": str(level)})
        for level in (1, 4)
    ]
    presets = ("ultrafast", "superfast", "veryfast", "faster")
    made += [Setting(f"x264 {p}", "h264", {"preset": p}, in_use=p == "ultrafast") for p in presets]
    made.append(Setting("nvenc p1 ull", "h264", {"preset": "p1", "tune": "ull", "zerolatency": "1"}, "h264_nvenc"))
    return made


@dataclass(slots=True)
class Run:
    """One setting at work."""

    setting: Setting
    encoder: VideoCodecContext
    decoder: VideoCodecContext
    ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    psnr: list[float] = field(default_factory=list)
    ssim: list[float] = field(default_factory=list)
    bits: int = 0


def open_run(setting: Setting, frame: av.VideoFrame, bitrate: int) -> Run:
    """Open encoder and decoder.

    Raises:
        ClearcallError: This build or machine has no such encoder.
    """
    try:
        if setting.kind == "vp8":
            encoder = vp8_codec(frame, bitrate, setting.changed)
        else:
            encoder = h264_codec(frame, bitrate, setting.changed, setting.encoder)
        encoder.open()
    except (av.FFmpegError, ValueError) as error:
        raise ClearcallError(f"{setting.name}: {str(error).splitlines()[0]}") from error
    decoder = av.CodecContext.create(setting.kind, "r")
    assert isinstance(decoder, VideoCodecContext)
    # With threads for whole frames it would hand them out late, and each would be compared with another.
    decoder.thread_count = 1
    return Run(setting, encoder, decoder)


def luma(frame: av.VideoFrame) -> Luma:
    """A copy of the luma plane [H, W]."""
    return plane_rows(frame.planes[0])[: frame.height, : frame.width].copy()


def step(run: Run, frame: av.VideoFrame, number: int) -> None:
    """Encode a frame, decode it, compare."""
    frame.pts, frame.time_base = number * 90_000 // FPS, Fraction(1, 90_000)
    frame.pict_type = 0
    began, used = time.perf_counter(), time.process_time()
    packets = run.encoder.encode(frame)
    took, spent = time.perf_counter() - began, time.process_time() - used
    original = luma(frame)
    for packet in packets:
        for shown in run.decoder.decode(av.Packet(bytes(packet))):
            if number < WARM_UP:
                continue
            run.ms.append(1000 * took)
            run.cpu_ms.append(1000 * spent)
            run.bits += 8 * packet.size
            seen = luma(shown)
            error = float(((seen.astype(np.float32) - original) ** 2).mean())
            run.psnr.append(99.0 if error == 0 else float(10 * np.log10(255**2 / error)))
            if number % SSIM_EVERY == 0:
                run.ssim.append(ssim(_clip(seen), _clip(original)) or 0.0)


def _clip(plane: Luma) -> Planar:
    """A clip of one frame; of its chroma nothing is asked."""
    return plane[None, None], plane[None, None]


def frames(film: Path, count: int) -> Iterator[av.VideoFrame]:
    """The film's first frames as I420; BadInput where it cannot be read."""
    try:
        with av.open(str(film)) as container:
            for frame in islice(container.decode(video=0), count):
                yield frame.reformat(format="yuv420p")
    except (av.FFmpegError, IndexError) as error:
        raise BadInput(f"{film}: not a readable film") from error


def measure(film: Path, bitrate: int, count: int) -> tuple[list[Run], list[str]]:
    """All settings on the same frames; and why some could not be run."""
    runs: list[Run] = []
    missing: list[str] = []
    for number, frame in enumerate(frames(film, count)):
        if number == 0:
            for setting in settings():
                try:
                    runs.append(open_run(setting, frame, bitrate))
                except ClearcallError as error:
                    missing.append(str(error))
        for run in runs:
            step(run, frame, number)
    if not runs or not runs[0].ms:
        raise BadInput(f"{film}: fewer than {WARM_UP} frames")
    return runs, missing


def table(runs: Sequence[Run]) -> list[str]:
    """Lines of Markdown."""
    lines = ["| setting | ms p50 / p95 | CPU ms | kbit/s | PSNR, dB | SSIM |", "|---|---|---|---|---|---|"]
    for run in runs:
        late = statistics.quantiles(run.ms, n=20)[-1]
        rate = run.bits * FPS / len(run.ms) / 1000
        name = f"**{run.setting.name}** (in use)" if run.setting.in_use else run.setting.name
        lines.append(
            f"| {name} | {statistics.median(run.ms):.1f} / {late:.1f} | {statistics.mean(run.cpu_ms):.1f} | {rate:.0f} "
            f"| {statistics.mean(run.psnr):.2f} | {statistics.mean(run.ssim):.4f} |"
        )
    return lines


def main() -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("film", type=Path)
    parser.add_argument("--bitrate", type=int, default=START_BITRATE, help="bit/s (default: %(default)s)")
    parser.add_argument("--frames", type=int, default=150)
    arguments = parser.parse_args()
    try:
        runs, missing = measure(arguments.film, arguments.bitrate, arguments.frames)
    except ClearcallError as error:
        print(f"encoders: {error}", file=sys.stderr)
        return error.exit_status
    print("\n".join([*table(runs), *(f"not run: {each}" for each in missing)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
