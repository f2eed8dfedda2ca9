"""What a call does to a picture: weather, blur, darkness, sensor noise, lost resolution, compression.

A clip shares its parameters, which is what makes a temporal model worth having. Strengths are levels in 0..1 per task;
the prompt weight of a task that is present runs from .25 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from training.faces import Picture
from training.weather import add_haze, add_rain

Floats = NDArray[np.float32]
Planar = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""y [T, 1, H, W] and uv [T, 2, H/2, W/2]"""

TASKS = ("noise", "compression", "low light", "blur", "low resolution", "haze", "rain")
CLEAN_SHARE = 0.12
SINGLE_SHARE = 0.75
"""Share of the damaged clips that have one task only: in mixtures, darkness and noise hide what blur and blocks do, and
with more of them the generator learned to leave those two alone."""
SHARES = (0.14, 0.22, 0.13, 0.19, 0.16, 0.08, 0.08)
"""How often each task is drawn: those with the faintest errors most often."""
GAMMA = 2.2
KERNEL = 19
WARM_UP_FRAMES = 1
"""Frames encoded before the clip begins, so that it does not always start at a key frame."""


@dataclass(frozen=True, slots=True)
class Degradation:
    """Level in 0..1 for each task that is present."""

    levels: dict[str, float] = field(default_factory=dict)

    def prompt(self) -> Floats:
        """Weights [len(TASKS)], 0 for an absent task, .25 to 1 for a present one."""
        return np.array([0.25 + 0.75 * self.levels[t] if t in self.levels else 0.0 for t in TASKS], np.float32)


def sample_degradation(rng: np.random.Generator) -> Degradation:
    """Nothing (12 %), one task (three quarters of the rest) or a mixture of two or three."""
    if rng.random() < CLEAN_SHARE:
        return Degradation()
    count = 1 if rng.random() < SINGLE_SHARE else int(rng.integers(2, 4))
    chosen = rng.choice(len(TASKS), count, replace=False, p=SHARES)
    return Degradation({TASKS[i]: float(rng.random()) for i in chosen})


def degrade(frames: list[Picture], what: Degradation, rng: np.random.Generator) -> Planar:
    """Apply the tasks in the order in which a camera and a call do it, and return planes."""
    levels = what.levels
    pictures: list[Floats] = [f.astype(np.float32) for f in frames]
    if "haze" in levels:
        pictures = add_haze(pictures, levels["haze"], rng)
    if "rain" in levels:
        pictures = add_rain(pictures, levels["rain"], rng)
    if "blur" in levels:
        kernel = blur_kernel(levels["blur"], rng)
        pictures = [_filtered(p, kernel) for p in pictures]
    if "low light" in levels:
        gain = 2.0 ** -(0.5 + 2.5 * levels["low light"])
        table = (255.0 * ((np.arange(256) / 255.0) ** GAMMA * gain) ** (1 / GAMMA)).astype(np.float32)
        pictures = [np.interp(p, np.arange(256), table).astype(np.float32) for p in pictures]
    if "low resolution" in levels:
        pictures = [_shrink_and_grow(p, 1.5 + 2.5 * levels["low resolution"]) for p in pictures]
    if "noise" in levels:
        pictures = _add_noise(pictures, 3.0 + 30.0 * levels["noise"], rng)
    y, uv = to_planes([np.clip(np.round(p), 0, 255).astype(np.uint8) for p in pictures])
    if "compression" in levels:
        # Half of the callers' programs also shrink the picture that they cannot afford to send.
        shrunk = 1.0 + 1.2 * levels["compression"] if rng.random() < 0.5 else 1.0
        crf = 30.0 + 20.0 * levels["compression"] - (3.0 if shrunk > 1 else 0.0)
        y, uv = compress_smaller(y, uv, crf, shrunk)
    return y, uv


def blur_kernel(level: float, rng: np.random.Generator) -> Floats:
    """Gaussian defocus (sigma .6 to 3.4 pixels) or, one time in three, motion along a line (3 to 16 pixels)."""
    if rng.random() < 1 / 3:
        length = 3.0 + 13.0 * level
        angle = float(rng.uniform(0, np.pi))
        kernel = np.zeros((KERNEL, KERNEL), np.float32)
        for step in np.linspace(-length / 2, length / 2, 61):
            x, y = KERNEL // 2 + step * np.cos(angle), KERNEL // 2 + step * np.sin(angle)
            kernel[round(float(y)), round(float(x))] += 1
    else:
        line = np.asarray(cv2.getGaussianKernel(KERNEL, 0.6 + 2.8 * level), np.float32)
        kernel = line @ line.T
    return np.asarray(kernel / kernel.sum(), np.float32)


def _filtered(picture: Floats, kernel: Floats) -> Floats:
    return np.asarray(cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_REFLECT), np.float32)


def _shrink_and_grow(picture: Floats, factor: float) -> Floats:
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (round(width / factor), round(height / factor)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def _add_noise(pictures: list[Floats], sigma: float, rng: np.random.Generator) -> list[Floats]:
    """Poisson-Gaussian noise of deviation `sigma` (8-bit units) at mid-grey; sometimes smeared by the camera."""
    shot = float(rng.uniform(0.0, 0.8))
    smear = float(rng.uniform(0.4, 0.8)) if rng.random() < 0.4 else 0.0
    colour = float(rng.uniform(0.3, 1.0))
    out: list[Floats] = []
    for picture in pictures:
        noise = rng.standard_normal(picture.shape, np.float32)
        grey = noise[:, :, :1]
        noise = grey + colour * (noise - grey)
        if smear:
            noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), smear), np.float32)
            noise /= float(noise.std())
        deviation = sigma * np.sqrt(1 - shot + shot * np.clip(picture, 0, 255) / 128.0)
        out.append(np.asarray(picture + deviation * noise, np.float32))
    return out


def to_planes(frames: list[Picture]) -> Planar:
    """BGR frames of even size to BT.601 limited-range planes."""
    height, width = frames[0].shape[:2]
    stacked = np.stack([cv2.cvtColor(f, cv2.COLOR_BGR2YUV_I420) for f in frames])
    y = stacked[:, :height].reshape(-1, 1, height, width)
    uv = stacked[:, height:].reshape(-1, 2, height // 2, width // 2)
    return np.ascontiguousarray(y), np.ascontiguousarray(uv)


def compress_smaller(y: NDArray[np.uint8], uv: NDArray[np.uint8], crf: float, factor: float) -> Planar:
    """Compress at `factor` times fewer rows and columns, and bring back to size."""
    if factor == 1.0:
        return compress(y, uv, crf)
    height, width = y.shape[2:]
    rows, columns = (2 * max(8, round(edge / factor / 2)) for edge in (height, width))
    small = compress(_resized(y, rows, columns), _resized(uv, rows // 2, columns // 2), crf)
    return _resized(small[0], height, width), _resized(small[1], height // 2, width // 2)


def _resized(planes: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    way = cv2.INTER_AREA if rows < planes.shape[2] else cv2.INTER_CUBIC
    resized = [[cv2.resize(plane, (columns, rows), interpolation=way) for plane in frame] for frame in planes]
    return np.asarray(resized, np.uint8)


def compress(y: NDArray[np.uint8], uv: NDArray[np.uint8], crf: float) -> Planar:
    """Encode and decode with x264 as a call does (no look-ahead, no B frames) at a constant rate factor."""
    count, _, height, width = y.shape
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 30), Fraction(30)
    encoder.thread_count = 1
    encoder.options = {"preset": "veryfast", "tune": "zerolatency", "crf": f"{crf:.2f}"}
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.thread_count = 1
    decoded: list[av.VideoFrame] = []
    order = [min(WARM_UP_FRAMES, count - 1) - i for i in range(min(WARM_UP_FRAMES, count - 1))] + list(range(count))
    for index, source in enumerate(order):
        picture = np.concatenate([y[source, 0].reshape(-1), uv[source].reshape(-1)]).reshape(height * 3 // 2, width)
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts = index
        for packet in encoder.encode(frame):
            decoded += decoder.decode(packet)
    for packet in encoder.encode(None):
        decoded += decoder.decode(packet)
    decoded += decoder.decode(None)
    planes = np.stack([f.to_ndarray() for f in decoded[-count:]])
    return (
        np.ascontiguousarray(planes[:, :height]).reshape(count, 1, height, width),
        np.ascontiguousarray(planes[:, height:]).reshape(count, 2, height // 2, width // 2),
    )
