"""What a webcam adds in poor light: smeared grain, halos, a hunting exposure, mains flicker, a tint."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MAINS_STEPS = (1 / 3, 0.01)
"""How far light of 50 and of 60 Hz mains moves on from one frame to the next at 30 a second, in cycles."""


@dataclass(frozen=True, slots=True)
class Camera:
    """Side effects; each is off at 0."""

    denoise: float = 0.0
    """Share of the picture that is its own smoothed version, over space and time"""
    sharpen: float = 0.0
    """Gain of the unsharp mask"""
    halo: float = 1.0
    """Its deviation, px"""
    hunting: float = 0.0
    """Deviation of the exposure, as a share"""
    hunting_pace: float = 0.0
    """Radians a frame"""
    flicker: float = 0.0
    """Amplitude of the bands, as a share"""
    mains_step: float = 0.0
    bands: float = 1.0
    """Over the picture's height: its rows are read one after another"""
    phase: float = 0.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Gains of blue, green and red"""


def sample_camera(rng: np.random.Generator) -> Camera:
    """Each effect is there less than half of the time, and mild: the prompt has no word for them."""

    def sometimes(share: float, least: float, most: float) -> float:
        value = float(rng.uniform(least, most))
        return value if rng.random() < share else 0.0

    tint = rng.uniform(0.94, 1.06, 3) if rng.random() < 0.4 else np.ones(3)
    return Camera(
        denoise=sometimes(0.4, 0.2, 0.7),
        sharpen=sometimes(0.4, 0.2, 0.5),
        halo=float(rng.uniform(0.8, 1.6)),
        hunting=sometimes(0.3, 0.01, 0.05),
        hunting_pace=float(rng.uniform(0.1, 0.6)),
        flicker=sometimes(0.25, 0.01, 0.04),
        mains_step=float(rng.choice(MAINS_STEPS)),
        bands=float(rng.uniform(0.3, 2.0)),
        phase=float(rng.uniform(0, 2 * np.pi)),
        tint=(float(tint[0]), float(tint[1]), float(tint[2])),
    )


def lit(pictures: list[Floats], camera: Camera) -> list[Floats]:
    """What happens before the sensor's noise: exposure, flicker and tint, on [H,W,3] in 0..255."""
    if not camera.hunting and not camera.flicker and camera.tint == (1.0, 1.0, 1.0):
        return pictures
    rows = np.arange(pictures[0].shape[0], dtype=np.float32) / pictures[0].shape[0]
    tint = np.array(camera.tint, np.float32)
    out = []
    for index, picture in enumerate(pictures):
        exposure = 1 + camera.hunting * np.sin(camera.phase + camera.hunting_pace * index)
        bands = np.sin(2 * np.pi * (camera.bands * rows + camera.mains_step * index) + camera.phase)
        gain = (exposure * (1 + camera.flicker * bands)).astype(np.float32)
        out.append(np.asarray(picture * (gain[:, None, None] * tint), np.float32))
    return out


def processed(pictures: list[Floats], camera: Camera) -> list[Floats]:
    """What the camera does about the noise, and then to the edges."""
    if camera.denoise:
        pictures = _denoised(pictures, camera.denoise)
    if camera.sharpen:
        pictures = [_sharpened(p, camera.sharpen, camera.halo) for p in pictures]
    return pictures


def _denoised(pictures: list[Floats], share: float) -> list[Floats]:
    """Fine texture goes with the grain; where nothing seems to move, what is left of it stays for some frames."""
    out: list[Floats] = []
    kept: Floats | None = None
    for picture in pictures:
        bytes_ = np.clip(picture, 0, 255).astype(np.uint8)
        smooth = np.asarray(cv2.bilateralFilter(bytes_, 5, 40, 2), np.float32)
        if kept is not None:
            moved = np.asarray(cv2.blur(np.abs(smooth - kept).max(axis=2), (7, 7)), np.float32)
            weight = np.clip(0.4 + moved / 20, 0, 1)[..., None]
            smooth = np.asarray(kept + weight * (smooth - kept), np.float32)
        kept = smooth
        out.append(np.asarray(picture + share * (smooth - picture), np.float32))
    return out


def _sharpened(picture: Floats, gain: float, deviation: float) -> Floats:
    return np.asarray(picture + gain * (picture - cv2.GaussianBlur(picture, (0, 0), deviation)), np.float32)
