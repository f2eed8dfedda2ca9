"""Small videos made on the spot, and what a video holds."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from stream.frames.pixels import copy_frame, plane_rows

RATE = 48000


def clip(
    path: Path,
    frames: int = 20,
    size: tuple[int, int] = (64, 48),
    pix_fmt: str = "yuv420p",
    codec: str = "libx264",
    audio: str | None = "aac",
    rate: Fraction | int = 30,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    tags: tuple[int, int, int, int] | None = None,
    rotation: int = 0,
    aspect: Fraction | None = None,
    options: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
    pictures: Sequence[av.VideoFrame] | None = None,
) -> Path:
    """Write a clip with a tone unless `audio` is None; `tags` are range, primaries, transfer, matrix.

    It shows `pictures`, all of one size, as they are to be stored, or else that many `frames` of noise.
    """
    rng = np.random.default_rng(3)
    if pictures is not None:
        frames, size = len(pictures), (pictures[0].width, pictures[0].height)
    with av.open(str(path), "w") as container:
        container.metadata.update(metadata or {})
        video = container.add_stream(codec, rate=rate, options=options or {})
        assert isinstance(video, VideoStream)
        context = video.codec_context
        context.width, context.height, context.pix_fmt = *size, pix_fmt
        context.time_base = time_base or 1 / Fraction(rate)
        if tags is not None:
            context.color_range, context.color_primaries, context.color_trc, context.colorspace = tags
        if rotation:
            video.set_display_rotation(rotation)
        if aspect is not None:
            context.sample_aspect_ratio = aspect
        sound = container.add_stream(audio, rate=RATE) if audio else None
        for index in range(frames):
            frame = noise(rng, size, pix_fmt) if pictures is None else pictures[index].reformat(format=pix_fmt)
            frame.pts = pts[index] if pts is not None else index
            frame.time_base = context.time_base
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if sound is not None:
            assert isinstance(sound, AudioStream)
            _tone(container, sound, frames * RATE // max(1, round(rate)))
    return path


def noise(rng: np.random.Generator, size: tuple[int, int], pix_fmt: str) -> av.VideoFrame:
    """A frame of coarse noise."""
    width, height = size
    small = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
    pixels = np.ascontiguousarray(small.repeat(8, 0).repeat(8, 1)[:height, :width])
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    return frame.reformat(format=pix_fmt) if pix_fmt != "rgb24" else frame


def bottom_up(path: Path, frames: int = 3, size: tuple[int, int] = (64, 48)) -> Path:
    """An uncompressed AVI whose rows lie in the file from the bottom up, as most programs write them."""
    clip(path, frames, size, "bgr24", "rawvideo", audio=None)
    data = path.read_bytes()
    # FFmpeg writes them from the top down, which a negative height says.
    top_down, bottom = (struct.pack("<ii", size[0], height) for height in (-size[1], size[1]))
    assert data.count(top_down) == 1
    path.write_bytes(data.replace(top_down, bottom))
    return path


def damaged(source: Path, target: Path, broken: set[int]) -> Path:
    """Copy the video of `source` with every bit of the packets number `broken` turned over."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        video = old.streams.video[0]
        copy = new.add_stream_from_template(video, opaque=True)
        for number, packet in enumerate(old.demux(video)):
            if packet.pts is None:
                continue
            written = av.Packet(bytes(255 - byte for byte in bytes(packet)) if number in broken else bytes(packet))
            written.pts, written.dts, written.duration = packet.pts, packet.dts, packet.duration
            written.time_base, written.is_keyframe = packet.time_base, packet.is_keyframe
            written.stream = copy
            new.mux(written)
    return target


def sound_only(path: Path) -> Path:
    """A file with a tone and no picture."""
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=RATE)
        assert isinstance(sound, AudioStream)
        _tone(container, sound, RATE // 2)
    return path


def _tone(container: av.container.OutputContainer, stream: AudioStream, samples: int) -> None:
    resampler = av.AudioResampler(stream.format, stream.layout, RATE, 960)
    wave = (np.sin(np.arange(samples) / 20) * 8000).astype(np.int16)
    whole = av.AudioFrame.from_ndarray(np.stack([wave, wave]).T.reshape(1, -1), format="s16", layout="stereo")
    whole.sample_rate, whole.pts, whole.time_base = RATE, 0, Fraction(1, RATE)
    for frame in (*resampler.resample(whole), *resampler.resample(None)):
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


@dataclass
class Contents:
    """What a file holds."""

    codec: str
    size: tuple[int, int]
    pix_fmt: str | None
    rate: Fraction | None
    times: list[Fraction]
    """Seconds, of every frame in order of display."""
    tags: tuple[int, int, int, int]
    aspect: Fraction | None
    rotation: int
    pictures: list[list[NDArray[np.uint8]]]
    """Planes of every frame, as bytes [h, w * bytes]."""
    sound: list[tuple[Fraction, bytes]]
    """Seconds and bytes of every packet of the first sound."""
    metadata: dict[str, str]


def contents(path: Path) -> Contents:
    """Read a whole file."""
    sound: list[tuple[Fraction, bytes]] = []
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams.audio[0]) if container.streams.audio else ():
            if packet.pts is not None:
                sound.append((packet.pts * packet.time_base, bytes(packet)))
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        frames = list(container.decode(video))
        context = video.codec_context
        return Contents(
            codec=context.name,
            size=(context.width, context.height),
            pix_fmt=context.pix_fmt,
            rate=video.average_rate,
            times=[Fraction(f.pts or 0) * (f.time_base or 1) for f in frames],
            tags=(context.color_range, context.color_primaries, context.color_trc, context.colorspace),
            aspect=context.sample_aspect_ratio,
            rotation=frames[0].rotation if frames else 0,
            pictures=[planes(frame) for frame in frames],
            sound=sound,
            metadata=dict(container.metadata),
        )


def planes(frame: av.VideoFrame) -> list[NDArray[np.uint8]]:
    """The planes' bytes without padding, copied."""
    result = []
    for index, plane in enumerate(frame.planes):
        parts = [part for part in frame.format.components if part.plane == index]
        whole = len(frame.planes) == 1
        size = frame.format.padded_bits_per_pixel // 8 if whole else sum(-(-part.bits // 8) for part in parts)
        result.append(plane_rows(plane)[: plane.height, : plane.width * size].copy())
    return result


class Brighten:
    """A stand-in for the filter: adds 8 to the left upper quarter of the first plane, wrapping around."""

    def __init__(self, *_: Any) -> None:
        self.frames = 0
        self.closed = False

    def process(self, frame: av.VideoFrame) -> av.VideoFrame:
        self.frames += 1
        new = copy_frame(frame)
        plane_rows(new.planes[0])[: frame.height // 2, : frame.width // 2] += 8
        return new

    def figures(self) -> dict[str, object]:
        times = {"median_ms": 1.5, "p95_ms": 2.5}
        return {
            "frames": self.frames,
            "changed": self.frames,
            "failures": {"engine": 2, "late": 0},
            "stages": {"track": times},
        }

    def close(self) -> None:
        self.closed = True
