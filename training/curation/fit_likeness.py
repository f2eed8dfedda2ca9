"""The average face and the limits of likeness, from labelled pictures."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from training.curation.fit import Sample, best_limit
from training.curation.likeness import Likeness, Signature, mirrored, similar_to, unit
from training.curation.shown import VERSIONS, Shown

STRANGERS = 1e-4
"""Share of pairs of different people that may be taken for one."""


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
