"""Fits the rubric's limits to labelled pictures and tests them on other people.

    python -m training.curation.calibrate ../shared/data [--write]

Prints the tables of docs/curation.md; --write also replaces rubric.json and likeness.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from engines.errors import BadInput, ClearcallError
from stream.files.progress import Progress
from training.curation.command import load_finder
from training.curation.fit import Sample, best_limit, outcome
from training.curation.fit_likeness import fit_likeness
from training.curation.labels import UNSURE, load_labels
from training.curation.likeness import Likeness
from training.curation.rubric import CRITERIA, Criterion, Rubric, faults
from training.curation.shown import Shown, samples_of, shaken_samples, show_all

HERE = Path(__file__).parent


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
