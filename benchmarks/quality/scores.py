"""All figures of one clip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.quality import brightness, embedding
from benchmarks.quality import landmarks as points
from benchmarks.quality.exposure import exposure_error, exposure_free_within
from benchmarks.quality.gradient import gradient_energy_ratio
from benchmarks.quality.pictures import RATE, bgr
from benchmarks.quality.protocol import Case
from training import measures
from training.degrade import Planar
from training.warp_error import warp_errors


@dataclass(frozen=True, slots=True)
class Metric:
    """How a figure is shown and read."""

    key: str
    label: str
    unit: str
    higher: bool | None
    """Whether more is better; None where the clean clip's own figure is best"""
    form: str = ".2f"
    temporal: bool = False
    """Blur makes it better: never to be shown without sharpness"""


METRICS = (
    Metric("psnr", "PSNR", "dB", True),
    Metric("psnr_face", "PSNR face", "dB", True),
    Metric("psnr_outside", "PSNR outside", "dB", True),
    Metric("exposure_free", "exposure-free PSNR", "dB", True),
    Metric("exposure_free_face", "exposure-free PSNR face", "dB", True),
    Metric("exposure_error", "exposure error", "levels", False),
    Metric("exposure_error_face", "exposure error face", "levels", False),
    Metric("ssim", "SSIM", "", True, ".4f"),
    Metric("ssim_face", "SSIM face", "", True, ".4f"),
    Metric("ssim_outside", "SSIM outside", "", True, ".4f"),
    Metric("sharpness", "sharpness", "x clean", None),
    Metric("gradients", "gradient energy", "x clean", None),
    Metric("gradients_face", "gradient energy face", "x clean", None),
    Metric("gradient_energy", "gradient energy", "x input", None),
    Metric("ewarp", "E*warp", "1e-3", False, ".3f", True),
    Metric("we", "WE", "1e-3", False, ".3f", True),
    Metric("fc_hog", "FC (HOG)", "x10", None, ".3f", True),
    Metric("ab_var", "AB(Var)", "levels²", False, ".3f", True),
    Metric("mabd", "MABD error", "levels²", False, ".3f", True),
    Metric("flicker", "flicker from 4 Hz", "levels", False, ".3f", True),
    Metric("tlme", "TLME", "px/frame", False, ".3f", True),
    Metric("jitter", "jitter", "px/frame²", None, ".3f", True),
    Metric("fc_identity", "FC (face embedding)", "x10", None, ".3f", True),
    Metric("identity", "identity", "cosine", True, ".3f"),
    Metric("lpips", "LPIPS", "", False, ".4f"),
    Metric("border", "border of the paste", "x clean", False, ".3f"),
    Metric("restored", "frames restored", "share", True),
)
BY_KEY = {m.key: m for m in METRICS}
OF_EMBEDDING = {"fc_identity": "FC", "identity": "identity"}
"""Figures that say nothing without the name of the face embedding they were taken with"""

Figures = dict[str, float]
Perceptual = Callable[[Planar, Planar], float]


def title(key: str, embedding: str | None) -> str:
    """What a figure is called in a report.

    Args:
        key: Of the figure.
        embedding: Name of the face embedding in use, if any.
    """
    if embedding is not None and key in OF_EMBEDDING:
        return f"{OF_EMBEDDING[key]} ({embedding})"
    return BY_KEY[key].label


@dataclass(frozen=True, slots=True)
class Extras:
    """What needs files of the user's own."""

    identity: embedding.FaceEmbedding | None = None
    lpips: Perceptual | None = None


def score(case: Case, out: Planar, extras: Extras) -> Figures:
    """The figures by their keys; what cannot be said of this case is missing."""
    pictures = bgr(out)
    ewarp, we = warp_errors(pictures, case.motion)
    found: dict[str, float | None] = {
        "ewarp": ewarp,
        "we": we,
        "flicker": brightness.flicker(out, case.clean, float(RATE)),
        "fc_hog": embedding.consistency([embedding.hog(p, None) for p in pictures]),
    }
    if case.clean is None:
        found["gradient_energy"] = gradient_energy_ratio(out, case.bad)
    else:
        found |= _against_clean(case, case.clean, out)
        if extras.lpips is not None:
            found["lpips"] = extras.lpips(out, case.clean)
    if case.landmarks is not None and case.finder is not None:
        seen = case.finder.look(out, case.landmarks)
        found["jitter"] = points.jitter(seen)
        if case.clean is not None:
            found["tlme"] = points.tlme(seen, case.landmarks)
        if extras.identity is not None:
            # Both faces are aligned by the same landmarks: only the picture differs.
            ours = [extras.identity(p, at) for p, at in zip(pictures, case.landmarks, strict=True)]
            theirs = [extras.identity(p, at) for p, at in zip(case.reference_pictures, case.landmarks, strict=True)]
            pairs = [(a, b) for a, b in zip(ours, theirs, strict=True) if a is not None and b is not None]
            if pairs:
                found["identity"] = embedding.likeness([a for a, _ in pairs], [b for _, b in pairs])
                found["fc_identity"] = embedding.consistency([a for a, _ in pairs])
    return {key: value for key, value in found.items() if value is not None}


def _against_clean(case: Case, clean: Planar, out: Planar) -> dict[str, float | None]:
    found: dict[str, float | None] = {
        "psnr": measures.psnr(out, clean),
        "exposure_free": measures.exposure_free_psnr(out, clean),
        "exposure_error": exposure_error(out, clean),
        "ssim": measures.ssim(out, clean),
        "sharpness": measures.sharpness(out, clean, case.face),
        "gradients": gradient_energy_ratio(out, clean),
        "ab_var": brightness.ab_var(out, clean),
        "mabd": brightness.mabd_error(out, clean),
    }
    if case.face is not None:
        found |= {
            "psnr_face": measures.psnr_within(out, clean, case.face),
            "psnr_outside": measures.psnr_within(out, clean, ~case.face),
            "exposure_free_face": exposure_free_within(out, clean, case.face),
            "exposure_error_face": exposure_error(out, clean, case.face),
            "gradients_face": gradient_energy_ratio(out, clean, case.face),
            "ssim_face": measures.ssim(out, clean, case.face),
            "ssim_outside": measures.ssim(out, clean, ~case.face),
        }
    return found
