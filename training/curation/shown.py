"""The labelled pictures of the calibration, as they are and damaged, measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from stream.files.progress import Progress
from training.curation.damage import DAMAGES, FOCUS
from training.curation.face import Points, cut_face
from training.curation.find import FaceFinder
from training.curation.fit import Sample
from training.curation.labels import UNSURE, Label
from training.curation.likeness import Signature, signature
from training.curation.measures import Measures, measure
from training.curation.rubric import Rubric
from training.curation.sources import load_photo
from training.curation.track import TrackScorer
from training.faces import Picture, load_clip

UNHURT = (*FOCUS, "motion", "noise", "dark", "blocks")
"""Criteria that must not mind a picture in another size, or mirrored."""

SHAKE = 0.015
"""Deviation of the shift from frame to frame in shaken clips, in face sizes."""

SHAKEN_EVERY, SHAKEN_FRAMES = 7, 24
"""Every which still becomes a steady and a shaken clip (odd: most people have two stills), and of how many frames."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A labelled picture, as it is or damaged, measured."""

    label: Label
    damage: str
    """Empty for a picture as it is."""
    measures: Measures
    bad: tuple[str, ...]
    good: tuple[str, ...]
    """Criteria that its label, or its damage, says something about."""
    signature: Signature


def claims(label: Label) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which criteria a looked-at picture misses and which it meets; what was unsure is in neither."""
    bad: list[str] = []
    good: list[str] = []
    if label.focus != UNSURE:
        (bad if label.focus == "soft" else good).extend(FOCUS)
    if label.focus == "sharp":
        good += ["motion", "noise"]
    if label.light != UNSURE:
        (bad if label.light == "dark" else good).append("dark")
        (bad if label.light == "bright" else good).append("bright")
    if label.blocks != UNSURE:
        (bad if label.blocks == "blocky" else good).append("blocks")
    return tuple(bad), tuple(good)


def read(data: Path, label: Label) -> Picture:
    """The labelled picture; BadInput where it is missing."""
    path = data / label.file
    if label.frame is None:
        return load_photo(path)
    frame = load_clip(path, label.frame + 1)[-1]
    height, width = (edge // 2 * 2 for edge in frame.shape[:2])
    return np.ascontiguousarray(frame[:height, :width])


def show_all(data: Path, labels: list[Label], finder: FaceFinder, progress: Progress) -> Iterator[Shown]:
    """All labelled pictures, and the spotless stills with each damage."""
    for number, label in enumerate(labels):
        progress.update(number)
        picture = read(data, label)
        faces = finder.in_photo(picture, 1)
        if not faces:
            continue
        yield _shown(label, "", picture, faces[0], *claims(label))
        if not label.spotless or label.frame is not None:
            continue
        rng = np.random.default_rng(number)
        for damage in DAMAGES:
            # The landmarks stay those of the clean picture: what is tested are the measures.
            yield _shown(label, damage.name, damage.apply(picture, rng), faces[0], damage.bad, damage.harmless)
        for name, version in versions(picture):
            again = finder.in_photo(version, 1)
            if again:
                yield _shown(label, name, version, again[0], (), UNHURT)


VERSIONS = ("mirrored", "half size")


def versions(picture: Picture) -> Iterator[tuple[str, Picture]]:
    """The same picture as it turns up elsewhere, with nothing wrong with it; its landmarks are to be found anew."""
    yield VERSIONS[0], np.ascontiguousarray(picture[:, ::-1])
    half = tuple(edge // 4 * 2 for edge in picture.shape[1::-1])
    yield VERSIONS[1], np.asarray(cv2.resize(picture, half, interpolation=cv2.INTER_AREA), np.uint8)


def _shown(
    label: Label, damage: str, picture: Picture, points: Points, bad: tuple[str, ...], good: tuple[str, ...]
) -> Shown:
    face = cut_face(picture, points)
    return Shown(label, damage, measure(face), bad, good, signature(face))


def samples_of(name: str, shown: list[Shown]) -> list[Sample]:
    """The labelled values of a criterion."""
    return [
        Sample(s.measures[name], name in s.bad, s.label.fitting, damaged=bool(s.damage))
        for s in shown
        if name in s.bad or name in s.good
    ]


def shaken_samples(data: Path, labels: list[Label], finder: FaceFinder, rubric: Rubric) -> list[Sample]:
    """Jitter of stills that were moved smoothly, and of the same shaken on top of it."""
    stills = [label for label in labels if label.spotless and label.frame is None][::SHAKEN_EVERY]
    samples = []
    for number, label in enumerate(stills):
        picture = read(data, label)
        faces = finder.in_photo(picture, 1)
        if not faces:
            continue
        size = float(np.ptp(faces[0], axis=0).max())
        for shake in (0.0, SHAKE):
            rng = np.random.default_rng(number)
            scorer = TrackScorer(rubric, 30.0, picture.shape[1], picture.shape[0])
            for index in range(SHAKEN_FRAMES):
                sway = 0.05 * np.sin(2 * np.pi * index / 40)
                shift = size * (np.array([sway, 0.0]) + shake * rng.standard_normal(2))
                matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
                frame = cv2.warpAffine(picture, matrix, picture.shape[1::-1], borderMode=cv2.BORDER_REFLECT_101)
                points = finder.in_photo(np.asarray(frame, np.uint8), 1)
                if points:
                    scorer.add(index, points[0], picture if scorer.wants_picture() else None)
            found = scorer.finish()
            if found is not None:
                samples.append(Sample(found.measures["jitter"], shake > 0, label.fitting))
    return samples
