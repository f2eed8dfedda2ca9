"""Pictures of a training report: what the generator makes of faces, and the clips that it is trained on."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import cv2
import numpy as np
from torch import Tensor

from generator.model import Generator
from stream.face.regions import REGION_NAMES
from training.degrade import TASKS, Degradation, degrade, to_planes
from training.dev_clips import DevClip
from training.faces import Picture
from training.measures import psnr
from training.planar import bgr_frame
from training.samples import Samples
from training.validate import LEVEL, auto_prompts, averages_of_a_call, restore

Strip = tuple[str, Picture, tuple[float, ...]]
"""Task, picture, and PSNR of what is in it, in dB."""

SHEET_FRAMES = (0, 2, 5)
RATE = 15


def strip(generator: Generator, frames: list[Picture], levels: dict[str, float]) -> tuple[Picture, tuple[float, ...]]:
    """Input, restored with the right prompt, restored under its own estimate, and clean, side by side: the last frame.

    Also the PSNR of the first three in dB, over the clip.
    """
    what, clean = Degradation(levels), to_planes(frames)
    bad = degrade(frames, what, np.random.default_rng(7))
    cells = frames[0].shape[0] // generator.config.latent_stride
    regions = np.zeros((len(frames), len(REGION_NAMES), cells, cells), np.float32)
    known = restore(generator, bad, regions, np.tile(what.prompt(), (len(frames), 1)))
    auto = restore(generator, bad, regions, auto_prompts(averages_of_a_call(generator, bad)))
    shown = np.hstack([bgr_frame(planes, len(frames) - 1) for planes in (bad, known, auto, clean)])
    return shown, tuple(psnr(planes, clean) for planes in (bad, known, auto))


def strips(generator: Generator, clips: list[DevClip]) -> list[Strip]:
    """One for each task and one clean, each on another clip."""
    names = (*TASKS, "clean")
    return [
        (name, *strip(generator, clips[i % len(clips)].frames, {} if name == "clean" else {name: LEVEL}))
        for i, name in enumerate(names)
    ]


def drawn(samples: Samples, count: int) -> list[dict[str, Tensor]]:
    """So many samples as training draws them."""
    rng = np.random.default_rng([samples.seed, 1, 1])
    return [samples.draw(rng) for _ in range(count)]


def frames_of(sample: dict[str, Tensor]) -> list[Picture]:
    """The damaged frames, each with the clean one at its right."""
    pairs = []
    for names in (("y", "uv"), ("clean_y", "clean_uv")):
        y, uv = (np.asarray((sample[name] * 255).round().numpy(), np.uint8) for name in names)
        pairs.append([bgr_frame((y, uv), index) for index in range(len(y))])
    return [np.hstack(pair) for pair in zip(*pairs, strict=True)]


def contact_sheet(samples: list[dict[str, Tensor]]) -> Picture:
    """Two samples a row: some frames of each, damaged beside clean, under what its prompt says."""
    tiles = []
    for sample in samples:
        frames = frames_of(sample)
        tile = np.hstack([frames[min(index, len(frames) - 1)] for index in SHEET_FRAMES])
        tiles.append(np.vstack([np.full((18, tile.shape[1], 3), 255, np.uint8), tile]))
        cv2.putText(tiles[-1], prompt_text(sample), (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    tiles += [np.full_like(tiles[0], 255)] * (len(tiles) % 2)
    return np.vstack([np.hstack(tiles[i : i + 2]) for i in range(0, len(tiles), 2)])


def prompt_text(sample: dict[str, Tensor]) -> str:
    """The weights of the first frame in words."""
    weights = sample["prompt"][0].tolist()
    return ", ".join(f"{task} {weight:.2f}" for task, weight in zip(TASKS, weights, strict=True) if weight) or "clean"


def video(samples: list[dict[str, Tensor]], columns: int = 3) -> bytes:
    """The clips beside each other, there and back, as MP4; all of one length."""
    clips = [frames_of(sample) for sample in samples[: len(samples) // columns * columns]]
    order = [*range(len(clips[0])), *range(len(clips[0]) - 2, 0, -1)] * 3
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(RATE))
        height, width = clips[0][0].shape[:2]
        stream.width, stream.height = columns * width, len(clips) // columns * height
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "23", "preset": "veryfast"}
        for index in order:
            rows = [np.hstack([c[index] for c in clips[i : i + columns]]) for i in range(0, len(clips), columns)]
            frame = av.VideoFrame.from_ndarray(np.vstack(rows), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()
