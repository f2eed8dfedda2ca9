"""FFmpeg's filters on clips, through PyAV."""

from __future__ import annotations

from dataclasses import dataclass

import av
import av.filter
import numpy as np

from benchmarks.quality.pictures import RATE, from_i420, video_frames
from engines.errors import ClearcallError
from training.degrade import Planar


@dataclass(frozen=True, slots=True)
class Chain:
    """One filter."""

    name: str
    arguments: str


def available_filters() -> set[str]:
    """The filters that this PyAV's FFmpeg was built with; those under the GPL, as hqdn3d, often are not."""
    return set(av.filter.filters_available)


def run_chain(clip: Planar, chain: Chain) -> Planar:
    """Filter a clip, on one thread.

    Raises:
        ClearcallError: The filter failed, or did not give back as many frames.
    """
    height, width = clip[0].shape[2:]
    try:
        graph = av.filter.Graph()
        graph.threads = 1
        source = graph.add_buffer(width=width, height=height, format=av.VideoFormat("yuv420p"), time_base=1 / RATE)
        working, sink = graph.add(chain.name, chain.arguments), graph.add("buffersink")
        source.link_to(working)
        working.link_to(sink)
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
        raise ClearcallError(f"ffmpeg {chain.name}={chain.arguments}: {error}") from error
    if len(out) != len(clip[0]):
        raise ClearcallError(f"ffmpeg {chain.name}: {len(out)} of {len(clip[0])} frames came back")
    return from_i420(out)
