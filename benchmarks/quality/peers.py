"""What people use instead.

Each runs on the tasks it is meant for, at that of its settings which is nearest to the clean clip in its first frames:
an advantage that nobody has in a call, and ours does not get.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from benchmarks.quality.ffmpeg import Filter, run_chain
from benchmarks.quality.methods import Method, Result
from benchmarks.quality.pictures import bgr
from benchmarks.quality.protocol import BAD_CALL, DARK, Case
from training.degrade import GAMMA, Planar, blur_kernel, to_planes
from training.faces import Picture
from training.measures import psnr
from training.planar import Floats

TRIAL = 2
"""Frames that a setting is chosen on."""
DIM = ("low light", DARK)
GRAINY = ("noise", DARK, BAD_CALL)
SOFT = ("blur", "low resolution", "compression", BAD_CALL)
AUTO_LEVELS, WIENER = "auto levels", "Wiener, kernel known"
CENTRED_MEDIAN = "median of 3 frames, next one known"
HQDN3D, NLMEANS = "hqdn3d", "ffmpeg nlmeans"
HQDN3D_SETTINGS = ("2:1.5:3:2.25", "4:3:6:4.5", "10:8:14:10")
NLMEANS_SETTINGS = ("s=2:p=7:r=9", "s=5:p=7:r=9", "s=10:p=7:r=9", "s=14:p=7:r=9", "s=20:p=7:r=9")
"""On portraits with the noise of the middle strength 14 is best: 10 is 1 dB behind."""

Apply = Callable[[Planar, Any, Case], Planar]
"""Takes a clip, a setting and the case it is of."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A filter with its settings."""

    name: str
    tasks: tuple[str, ...]
    """Those it is meant for; of nothing else is known what it needs, so it runs on clips of unknown damage, too"""
    apply: Apply
    settings: Sequence[Any] = field(default=(None,))
    trial: int = TRIAL
    """Frames that its setting is chosen on"""
    needs_answer: bool = False
    """It is told what was done to the clip, or what comes next in it: no call could run it; its name ends in `known`"""


def method(peer: Peer) -> Method:
    """The peer as a method."""

    def run(case: Case) -> Result | None:
        if (case.levels is None and peer.needs_answer) or (case.levels is not None and case.task not in peer.tasks):
            return None
        setting = peer.settings[len(peer.settings) // 2]
        if case.clean is not None and len(peer.settings) > 1:
            few, clean = _first(case.bad, peer.trial), _first(case.clean, peer.trial)
            setting = max(peer.settings, key=lambda s: psnr(peer.apply(few, s, case), clean))
        began = time.perf_counter()
        out = peer.apply(case.bad, setting, case)
        taken = 1000 * (time.perf_counter() - began) / len(out[0])
        return Result(out, taken, "" if setting is None else str(setting))

    return Method(peer.name, run)


def _first(clip: Planar, count: int) -> Planar:
    return clip[0][:count], clip[1][:count]


def per_picture(change: Callable[[Picture, Any], Picture]) -> Apply:
    """Of a function of BGR pictures."""
    return lambda clip, setting, case: to_planes([change(picture, setting) for picture in bgr(clip)])


def per_luma(change: Callable[[Picture, Any], Picture]) -> Apply:
    """Of a function of Y planes; the colours stay."""

    def apply(clip: Planar, setting: Any, case: Case) -> Planar:
        return np.stack([change(y[0], setting) for y in clip[0]])[:, None], clip[1].copy()

    return apply


def filter_graph(name: str) -> Apply:
    """Of an FFmpeg filter, a setting its arguments."""
    return lambda clip, setting, case: run_chain(clip, [Filter(name, setting)])


def non_local_means(picture: Picture, strength: float) -> Picture:
    """OpenCV's fastNlMeansDenoisingColored, window 15 instead of 21: it is the slowest here as it is."""
    return np.asarray(cv2.fastNlMeansDenoisingColored(picture, None, strength, strength, 7, 15), np.uint8)


def clahe(luma: Picture, limit: float) -> Picture:
    """Contrast-limited adaptive histogram equalisation on 8 x 8 tiles."""
    return np.asarray(cv2.createCLAHE(limit, (8, 8)).apply(luma), np.uint8)


def auto_levels(picture: Picture, share: float) -> Picture:
    """Each channel stretched so that `share` of the pixels is black and white."""
    low, high = np.quantile(picture, (share, 1 - share), axis=(0, 1))
    stretched = np.clip((picture - low) * (255 / np.maximum(high - low, 1)), 0, 255)
    return np.asarray(stretched.round(), np.uint8)


def median_of_three(clip: Planar, setting: Any, case: Case) -> Planar:
    """Of each sample and the two before it; causal, as a call needs it."""
    y, uv = (np.stack([np.median(p[max(0, i - 2) : i + 1], axis=0) for i in range(len(p))]) for p in clip)
    return y.round().astype(np.uint8), uv.round().astype(np.uint8)


def centred_median(clip: Planar, setting: Any, case: Case) -> Planar:
    """Of each sample, the one before and the one after it; at the ends, of the three frames there."""
    count = len(clip[0])
    starts = [max(0, min(i - 1, count - 3)) for i in range(count)]
    y, uv = (np.stack([np.median(p[s : s + 3], axis=0) for s in starts]) for p in clip)
    return y.round().astype(np.uint8), uv.round().astype(np.uint8)


def known_gain(clip: Planar, setting: Any, case: Case) -> Planar:
    """The very gain that the light was taken away with, given back in linear light."""
    level = (case.levels or {}).get("low light", 0.0)
    factor = 2.0 ** ((0.5 + 2.5 * level) / GAMMA)
    table = np.clip(np.arange(256) * factor, 0, 255).round().astype(np.uint8)
    return to_planes([np.asarray(cv2.LUT(picture, table), np.uint8) for picture in bgr(clip)])


def wiener(clip: Planar, noise: float, case: Case) -> Planar:
    """Wiener deconvolution with the very kernel that blurred the clip; `noise` is the noise-to-signal ratio."""
    kernel = blur_kernel((case.levels or {})["blur"], np.random.default_rng(case.seed))
    planes = [np.stack([_deconvolved(plane, kernel, noise) for plane in clip[0][:, 0]])[:, None]]
    small = np.asarray(cv2.resize(kernel, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32)
    small /= small.sum()
    planes.append(np.stack([[_deconvolved(plane, small, noise) for plane in frame] for frame in clip[1]]))
    return planes[0], planes[1]


def _deconvolved(plane: Picture, kernel: Floats, noise: float) -> Picture:
    margin = 32
    around = cv2.copyMakeBorder(plane, margin, margin, margin, margin, cv2.BORDER_REFLECT).astype(np.float32)
    spread = np.zeros_like(around)
    rows, columns = kernel.shape
    spread[:rows, :columns] = kernel
    spread = np.roll(spread, (-(rows // 2), -(columns // 2)), axis=(0, 1))
    response = np.fft.rfft2(spread)
    sharp = np.fft.irfft2(np.fft.rfft2(around) * np.conj(response) / (np.abs(response) ** 2 + noise), around.shape)
    return np.clip(sharp[margin:-margin, margin:-margin].round(), 0, 255).astype(np.uint8)


def opencv_peers() -> list[Peer]:
    """What OpenCV and numpy can do."""
    return [
        Peer("OpenCV fastNlMeans", GRAINY, per_picture(non_local_means), (4.0, 8.0, 14.0)),
        Peer("OpenCV CLAHE", (*DIM, "haze"), per_luma(clahe), (1.0, 2.0, 4.0)),
        Peer(AUTO_LEVELS, (*DIM, "haze"), per_picture(auto_levels), (0.001, 0.01, 0.03)),
        Peer("median of 3 frames", (*GRAINY, "rain"), median_of_three),
        Peer(CENTRED_MEDIAN, ("rain",), centred_median, needs_answer=True),
        Peer("fixed gain, known", DIM, known_gain, needs_answer=True),
        Peer(WIENER, ("blur",), wiener, (0.001, 0.003, 0.01, 0.03), needs_answer=True),
    ]


FFMPEG: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    (HQDN3D, GRAINY, HQDN3D_SETTINGS),
    ("nlmeans", GRAINY, NLMEANS_SETTINGS),
    ("atadenoise", (*GRAINY, "rain"), ("s=5", "0a=0.1:0b=0.2:s=5", "0a=0.3:0b=0.6:s=5")),
    ("deblock", ("compression", BAD_CALL), ("filter=weak:block=8", "filter=strong:block=8", "filter=strong:block=4")),
    ("unsharp", SOFT, ("5:5:0.3", "5:5:0.8", "7:7:1.5")),
)
"""Filter, its tasks, its settings."""


def ffmpeg_peers(available: set[str]) -> tuple[list[Peer], list[str]]:
    """Those of FFmpeg's filters that are there, and the names of the others."""
    there = [Peer(f"ffmpeg {n}", tasks, filter_graph(n), s) for n, tasks, s in FFMPEG if n in available]
    return there, [n for n, _, _ in FFMPEG if n not in available]
