"""FFmpeg's filters on clips: through PyAV, and where its build lacks one, through the program `ffmpeg`."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import av
import av.filter
import numpy as np

from benchmarks.quality.pictures import RATE, from_i420, i420, video_frames
from engines.errors import ClearcallError
from training.degrade import Planar
from training.faces import Picture

PROGRAM = "ffmpeg"
LONGEST_S = 600
"""After which the program hangs."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter."""

    name: str
    arguments: str

    def __str__(self) -> str:
        return f"{self.name}={self.arguments}"


def parse(chain: str) -> list[Filter]:
    """Filters out of a chain as FFmpeg writes it, `a=1:2,b=3`; nothing may be quoted."""
    parts = (part.partition("=") for part in chain.split(","))
    return [Filter(name, arguments) for name, _, arguments in parts]


def available_filters() -> set[str]:
    """The filters that can be run."""
    return set(_of_pyav() | _of_program())


def run_chain(clip: Planar, chain: Sequence[Filter]) -> Planar:
    """Filter a clip, on one thread.

    Raises:
        ClearcallError: A filter failed, is not there, or the chain did not give back as many frames.
    """
    here = all(one.name in _of_pyav() for one in chain)
    out = _through_pyav(clip, chain) if here else _through_program(clip, chain)
    if len(out) != len(clip[0]):
        raise ClearcallError(f"ffmpeg {_text(chain)}: {len(out)} of {len(clip[0])} frames came back")
    return from_i420(out)


def _text(chain: Sequence[Filter]) -> str:
    return ",".join(map(str, chain))


@cache
def _of_pyav() -> frozenset[str]:
    """Those under the GPL, as hqdn3d, its builds often lack."""
    return frozenset(av.filter.filters_available)


@cache
def _of_program() -> frozenset[str]:
    path = shutil.which(PROGRAM)
    if path is None:
        return frozenset()
    try:
        done = subprocess.run([path, "-hide_banner", "-filters"], capture_output=True, timeout=LONGEST_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return frozenset()
    rows = (line.split() for line in done.stdout.decode(errors="replace").splitlines())
    return frozenset(row[1] for row in rows if len(row) > 2 and "->" in row[2])


def _through_pyav(clip: Planar, chain: Sequence[Filter]) -> list[Picture]:
    height, width = clip[0].shape[2:]
    try:
        graph = av.filter.Graph()
        graph.threads = 1
        source = graph.add_buffer(width=width, height=height, format=av.VideoFormat("yuv420p"), time_base=1 / RATE)
        steps = [source, *(graph.add(one.name, one.arguments) for one in chain), graph.add("buffersink")]
        for before, after in zip(steps, steps[1:], strict=False):
            before.link_to(after)
        graph.configure()
        for frame in video_frames(clip):
            graph.push(frame)
        graph.push(None)
        out = []
        while True:
            try:
                pulled = graph.pull()
            except (EOFError, BlockingIOError):
                break
            assert isinstance(pulled, av.VideoFrame)
            out.append(np.asarray(pulled.to_ndarray(format="yuv420p"), np.uint8))
    except (av.FFmpegError, ValueError) as error:
        raise ClearcallError(f"ffmpeg {_text(chain)}: {error}") from error
    return out


def _through_program(clip: Planar, chain: Sequence[Filter]) -> list[Picture]:
    height, width = clip[0].shape[2:]
    raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p"]
    taken = ["-s", f"{width}x{height}", "-r", str(RATE), "-i", "-"]
    given = ["-vf", _text(chain), "-threads", "1", *raw, "-"]
    call = [PROGRAM, "-hide_banner", "-v", "error", "-nostdin", "-filter_threads", "1", *raw, *taken, *given]
    try:
        frames = b"".join(picture.tobytes() for picture in i420(clip))
        done = subprocess.run(call, input=frames, capture_output=True, timeout=LONGEST_S, check=True)
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        raise ClearcallError(f"ffmpeg {_text(chain)}: {said[-1] if said else error.returncode}") from error
    except (OSError, subprocess.SubprocessError) as error:
        raise ClearcallError(f"ffmpeg {_text(chain)}: {error}") from error
    size = height * 3 // 2 * width
    if len(done.stdout) % size:
        raise ClearcallError(f"ffmpeg {_text(chain)}: frames of another size came back")
    return list(np.frombuffer(done.stdout, np.uint8).reshape(-1, height * 3 // 2, width))
