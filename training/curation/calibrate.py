"""Fits the rubric's limits to labelled pictures and tests them on other people.

    python -m training.curation.calibrate ../shared/data [--write]

Prints the tables of docs/curation.md; --write also replaces rubric.json and likeness.json.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.errors import BadInput, ClearcallError
from stream.files.progress import Progress
from training.curation.command import load_finder
from training.curation.damage import DAMAGES
from training.curation.face import Points, cut_face
from training.curation.find import FaceFinder
from training.curation.fit import Sample, best_limit, outcome
from training.curation.labels import UNSURE, Label, load_labels
from training.curation.likeness import Likeness, Signature, mirrored, signature, similar_to, unit
from training.curation.measures import Measures, measure
from training.curation.rubric import CRITERIA, Criterion, Rubric, faults
from training.curation.sources import load_photo
from training.curation.track import TrackScorer
from training.faces import Picture, load_clip

HERE = Path(__file__).parent
FOCUS = ("eyes", "mouth", "skin")
STRANGERS = 1e-4
"""Share of pairs of different people that may be taken for one."""

UNHURT = (*FOCUS, "motion", "noise", "dark", "blocks")
"""Criteria that must not mind a picture in another size, or mirrored."""

SHAKE = 0.015
"""Deviation of the shift from frame to frame in shaken clips, in face sizes."""

SHAKEN_EVERY, SHAKEN_FRAMES = 8, 24
"""Every which still becomes a steady and a shaken clip, and of how many frames."""


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


def fit_likeness(shown: list[Shown]) -> tuple[Likeness, list[str]]:
    """The usual face and the two limits, fitted on one half of the people, and a table of how they do on the other.

    Faces look less alike to an average that they are part of: so pairs are compared by the average of the other half,
    as pairs of unknown people will be.
    """
    stills = [s for s in shown if s.label.frame is None]
    plain = [s for s in stills if not s.damage]
    averages = {half: _average([s.signature for s in plain if s.label.fitting is half]) for half in (True, False)}
    halves = {}
    for fitting, usual in ((True, averages[False]), (False, averages[True])):
        of = [s for s in plain if s.label.fitting is fitting]
        rows = unit([s.signature for s in of], usual)
        pairs = list(itertools.combinations(range(len(of)), 2))
        alike = np.array([float(rows[i] @ rows[j]) for i, j in pairs])
        same = np.array([of[i].label.person == of[j].label.person for i, j in pairs])
        first = {s.label.file: row for s, row in zip(of, rows, strict=True)}
        damaged = [s for s in stills if s.damage and s.label.fitting is fitting]
        versions_of = [_similarity(s.signature, first[s.label.file], usual) for s in damaged]
        kinds = [s.damage if s.damage in VERSIONS else "damaged" for s in damaged]
        halves[fitting] = (alike[same], alike[~same], np.array(versions_of), np.array(kinds))
    people, strangers, copies, _ = halves[True]
    person = float(np.quantile(strangers, 1 - STRANGERS, method="higher"))
    values = [Sample(v, False, True) for v in copies] + [Sample(v, True, True) for v in people]
    copy = best_limit(values, at_least=True)
    found = Likeness(averages[True].mean, averages[True].deviation, round(copy, 3), round(person, 3))
    people, strangers, copies, kind = halves[False]
    table = [
        "| pairs of other people than those fitted on | pairs | taken for one person | taken for one picture |",
        "|---|---|---|---|",
    ]
    for name, values_of in (
        ("one person, neutral and smiling", people),
        ("different people", strangers),
        *((f"a picture and its copy, {name}", copies[kind == name]) for name in ("damaged", *VERSIONS)),
    ):
        shares = [f"{(values_of >= limit).mean():.2%}" for limit in (found.person, found.copy)]
        table.append(f"| {name} | {len(values_of)} | {shares[0]} | {shares[1]} |")
    return found, table


def _average(signatures: list[Signature]) -> Likeness:
    rows = np.array(signatures, np.float64)
    return Likeness(rows.mean(axis=0).astype(np.float32), rows.std(axis=0).astype(np.float32), 0.0, 0.0)


def _similarity(one: Signature, other: NDArray[np.float32], usual: Likeness) -> float:
    wanted, flipped = unit([one, mirrored(one)], usual)
    return float(similar_to(wanted, flipped, other[None])[0])


def criterion_row(criterion: Criterion, samples: list[Sample], limit: float) -> str:
    """A line of the table: the limit on the people that it was not fitted on."""
    tested = [s for s in samples if not s.fitting]
    result = outcome(tested, limit, criterion.at_least)
    untouched = outcome([s for s in tested if not s.damaged and not s.bad], limit, criterion.at_least)
    side = "least" if criterion.at_least else "most"
    origin = "calibrated" if criterion.setting is None else "chosen"
    return (
        f"| {criterion.name} | at {side} {limit:.3g} | {origin} | {result.good} | {result.bad} "
        f"| {result.precision:.3f} | {result.recall:.3f} "
        f"| {untouched.false_alarms} of {untouched.good} |"
    )


def verdict_rows(shown: list[Shown], rubric: Rubric) -> list[str]:
    """How many of each kind the whole rubric rejects, on the people that it was not fitted on and on the real clips."""
    kinds: dict[str, list[bool]] = {}
    for s in shown:
        if s.damage:
            kind = s.damage
        elif s.label.file.startswith("real/"):
            kind = "real, " + ", ".join(v for v in (s.label.focus, s.label.light, s.label.blocks) if v != UNSURE)
        else:
            kind = "spotless" if s.label.spotless else "with a known fault" if s.bad else "unsure"
        if not s.label.fitting or kind.startswith("real"):
            kinds.setdefault(kind, []).append(bool(faults(s.measures, rubric)))
    rows = ["| pictures | number | rejected |", "|---|---|---|"]
    return rows + [f"| {kind} | {len(v)} | {sum(v) / len(v):.1%} |" for kind, v in kinds.items()]


def doubtful(shown: list[Shown], rubric: Rubric) -> list[str]:
    """Untouched pictures that rubric and label do not agree on, all people."""
    rows = []
    for s in shown:
        reasons = faults(s.measures, rubric)
        if s.damage or bool(reasons) == bool(s.bad) or (not s.bad and not s.label.spotless):
            continue
        frame = "" if s.label.frame is None else f" frame {s.label.frame}"
        seen, said = " ".join(s.bad) or "spotless", ", ".join(reasons) or "passed"
        rows.append(f"{s.label.file}{frame}: labelled {seen}; {said}")
    return rows


def main() -> int:
    """Run the calibration; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.curation.calibrate", description=__doc__.split("\n")[0])
    parser.add_argument("data", metavar="DATA", type=Path, help="folder with train/ and real/")
    parser.add_argument("--write", action="store_true", help="replace the limits that come with clearcall")
    arguments = parser.parse_args()
    try:
        calibrate(arguments.data, arguments.write)
    except ClearcallError as error:
        print(f"calibrate: {error}", file=sys.stderr)
        return error.exit_status
    return 0


def calibrate(data: Path, write: bool) -> None:
    """Fit, test and print; BadInput where the labelled material is not there."""
    labels = load_labels()
    missing = [label.file for label in labels if not (data / label.file).is_file()]
    if missing:
        raise BadInput(f"{data}: {len(missing)} of the labelled files are missing, such as {missing[0]}")
    finder = load_finder()
    progress = Progress(len(labels), sys.stderr)
    shown = list(show_all(data, labels, finder, progress))
    progress.close()
    samples = {c.name: samples_of(c.name, shown) for c in CRITERIA}
    rubric = Rubric({c.name: c.setting or 1.0 for c in CRITERIA})
    samples["jitter"] = shaken_samples(data, labels, finder, rubric)
    for criterion in CRITERIA:
        if criterion.setting is None and samples[criterion.name]:
            fitting = [s for s in samples[criterion.name] if s.fitting]
            limit = float(f"{best_limit(fitting, criterion.at_least):.3g}") if _both(fitting) else 1.0
            rubric = rubric.with_limit(criterion.name, limit)
    likeness, likeness_rows = fit_likeness(shown)
    print("| criterion | limit | | good | bad | precision | recall | untouched good ones rejected |")
    print("|---|---|---|---|---|---|---|---|")
    for criterion in CRITERIA:
        if _both(samples[criterion.name]):
            print(criterion_row(criterion, samples[criterion.name], rubric.limits[criterion.name]))
    for rows in (verdict_rows(shown, rubric), likeness_rows, doubtful(shown, rubric)):
        print("", *rows, sep="\n")
    if write:
        write_limits(rubric, likeness)


def _both(samples: list[Sample]) -> bool:
    return len({s.bad for s in samples}) == 2


def write_limits(rubric: Rubric, likeness: Likeness) -> None:
    """Replace the files that come with clearcall."""
    limits = {c.name: rubric.limits[c.name] for c in CRITERIA if c.setting is None}
    (HERE / "rubric.json").write_text(json.dumps({"limits": limits}, indent=1) + "\n", encoding="utf-8")
    raw = {
        "copy": likeness.copy,
        "person": likeness.person,
        "mean": [round(float(v)) for v in likeness.mean],
        "deviation": [round(float(v)) for v in likeness.deviation],
    }
    (HERE / "likeness.json").write_text(json.dumps(raw) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
