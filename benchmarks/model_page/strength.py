"""How far the face that comes out is from the one that went in front of the camera, by strength."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from benchmarks.quality import embedding
from benchmarks.quality.bootstrap import Interval, over_people
from benchmarks.quality.landmarks import Landmarks
from benchmarks.quality.methods import with_strength
from benchmarks.quality.pictures import bgr
from benchmarks.quality.protocol import Case
from stream.models import Model
from training.measures import psnr
from training.planar import Floats

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
EYES = (33, 263)
"""Outer corners"""


@dataclass(frozen=True, slots=True)
class AtStrength:
    """Figures of one task at one strength, over people."""

    task: str
    strength: float
    psnr: Interval | None
    shift: Interval | None
    """Mean distance of the landmarks from the clean face's, per cent of the distance between the eyes' outer corners"""
    identity: Interval | None


def landmark_shift(found: Floats, clean: Floats) -> float:
    """Mean distance of landmarks [T,468,2] from the clean ones, per cent of the distance between the eyes."""
    apart = np.linalg.norm(clean[:, EYES[0]] - clean[:, EYES[1]], axis=-1)
    return float(100 * (np.linalg.norm(found - clean, axis=-1).mean(axis=1) / apart).mean())


def by_strength(
    model: Model,
    cases: Iterable[Case],
    finder: Landmarks,
    identity: embedding.FaceEmbedding | None,
    say: Callable[[str], None],
) -> list[AtStrength]:
    """The filter under the right prompt at each strength; strength 0 shows what the damage alone does."""
    found: dict[tuple[str, float], dict[str, list[tuple[str, float]]]] = {}
    for case in cases:
        if case.clean is None or case.landmarks is None:
            continue
        say(f"strengths: {case.task}, {case.name}")
        for strength in STRENGTHS:
            out = with_strength(model, case, strength)
            group = found.setdefault((case.task, strength), {"psnr": [], "shift": [], "identity": []})
            group["psnr"].append((case.person, psnr(out, case.clean)))
            shift = landmark_shift(finder.look(out, case.landmarks), case.landmarks)
            group["shift"].append((case.person, shift))
            if identity is not None:
                pictures = zip(bgr(out), case.reference_pictures, case.landmarks, strict=True)
                pairs = [(identity(a, points), identity(b, points)) for a, b, points in pictures]
                known = [(a, b) for a, b in pairs if a is not None and b is not None]
                if known:
                    like = embedding.likeness([a for a, _ in known], [b for _, b in known])
                    group["identity"].append((case.person, like))
    return [
        AtStrength(task, strength, *(over_people(group[key]) for key in ("psnr", "shift", "identity")))
        for (task, strength), group in found.items()
    ]
