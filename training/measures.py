"""How near a clip is to the clean one, frame by frame. Planes are 8 bits; masks are [T,H,W], True where it counts."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.face.regions import FACE_OVAL
from training.codec import Planar
from training.planar import Floats, luma

Mask = NDArray[np.bool_]
EQUAL = 99.0
"""dB that equal planes are given."""
SSIM_EDGE, SSIM_SIGMA = 11, 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def decibels(mean_square: float) -> float:
    """PSNR in dB of a mean square error in squared 8-bit levels, at most 99."""
    return EQUAL if mean_square <= 0 else min(EQUAL, float(10 * np.log10(255**2 / mean_square)))


def psnr(out: Planar, clean: Planar) -> float:
    """PSNR in dB of a clip, at most 99: 10 log10(255² / mean square error), as set against SSIM in Wang et al., 2004.

    One mean over the whole clip, every sample of Y, U and V counted alike: at 4:2:0, Y weighs two thirds.
    """
    squares = [(ours.astype(np.float32) - theirs) ** 2 for ours, theirs in zip(out, clean, strict=True)]
    return decibels(sum(float(s.sum(dtype=np.float64)) for s in squares) / sum(s.size for s in squares))


def psnr_within(out: Planar, clean: Planar, mask: Mask) -> float | None:
    """`psnr` in dB of what the mask covers, chroma where its upper left luma sample is; None where it is empty."""
    masks = mask[:, None], np.repeat(mask[:, None, ::2, ::2], 2, axis=1)
    chosen = [
        (ours[where].astype(np.float32) - theirs[where]) ** 2
        for ours, theirs, where in zip(out, clean, masks, strict=True)
    ]
    count = sum(c.size for c in chosen)
    return decibels(sum(float(c.sum(dtype=np.float64)) for c in chosen) / count) if count else None


def exposure_free_psnr(out: Planar, clean: Planar) -> float:
    """PSNR in dB after the affine map a x + b of each channel (Y, U, V) that fits the clean clip best.

    One map for the whole clip: a constant error of exposure, saturation or tint costs nothing, flicker does.
    """
    total, count = 0.0, 0
    channels = ((out[0], clean[0]), (out[1][:, 0], clean[1][:, 0]), (out[1][:, 1], clean[1][:, 1]))
    for ours, theirs in channels:
        x, y = ours.astype(np.float64).ravel(), theirs.astype(np.float64).ravel()
        # What the best line leaves: the variance of y, less what x explains of it.
        spread = float(x.var())
        explained = float(((x - x.mean()) * (y - y.mean())).mean()) ** 2 / spread if spread > 0 else 0.0
        total, count = total + max(0.0, float(y.var()) - explained) * y.size, count + y.size
    return decibels(total / count)


def ssim(out: Planar, clean: Planar, mask: Mask | None = None) -> float | None:
    """SSIM of Y, 0..1, mean over places and frames (Wang et al., 2004: Gaussian window of 11, sigma 1.5)."""
    maps = np.stack([_ssim_map(a, b) for a, b in zip(luma(out), luma(clean), strict=True)])
    chosen = maps if mask is None else maps[mask]
    return float(chosen.mean()) if chosen.size else None


def _ssim_map(a: Floats, b: Floats) -> Floats:
    def mean(x: Floats) -> Floats:
        return np.asarray(cv2.GaussianBlur(x, (SSIM_EDGE, SSIM_EDGE), SSIM_SIGMA), np.float32)

    mean_a, mean_b = mean(a), mean(b)
    var_a, var_b, both = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2, mean(a * b) - mean_a * mean_b
    likeness = (2 * mean_a * mean_b + C1) * (2 * both + C2)
    return np.asarray(likeness / ((mean_a**2 + mean_b**2 + C1) * (var_a + var_b + C2)), np.float32)


def sharpness(out: Planar, clean: Planar, mask: Mask | None = None) -> float | None:
    """How much of the clean clip's fine detail is there: 1 all of it, 0 none, above 1 too much of it.

    Slope of the regression of the output's Laplacian of Y on the clean clip's; noise has no part in it, unlike in a
    ratio of gradient energies. Affine changes of brightness count: what is half as contrasty is half as sharp.
    """
    ours, theirs = _laplacians(luma(out)), _laplacians(luma(clean))
    if mask is not None:
        ours, theirs = ours[mask], theirs[mask]
    energy = float((theirs * theirs).sum(dtype=np.float64))
    return float((ours * theirs).sum(dtype=np.float64)) / energy if energy > 0 else None


def _laplacians(frames: Floats) -> Floats:
    return np.stack([np.asarray(cv2.Laplacian(frame, cv2.CV_32F, ksize=3), np.float32) for frame in frames])


def face_masks(landmarks: Floats, height: int, width: int) -> Mask:
    """[T,H,W], True within the face's oval; landmarks [T,468,2] in px."""
    masks = np.zeros((len(landmarks), height, width), np.uint8)
    for mask, points in zip(masks, landmarks, strict=True):
        cv2.fillPoly(mask, [np.rint(points[list(FACE_OVAL)]).astype(np.int32)], 1)
    return masks.astype(np.bool_)
