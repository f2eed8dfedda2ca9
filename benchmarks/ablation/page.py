"""`docs/ablations.md`, written from figures alone."""

from __future__ import annotations

from typing import Any

from benchmarks.ablation.arms import ARMS, CLEARCALL, WHOLE
from benchmarks.ablation.claims import DIM
from benchmarks.ablation.differences import Rows, average, difference
from benchmarks.ablation.findings import Verdict, shown
from benchmarks.ablation.marks import legend, marks

FIGURES = (
    ("exposure_free", "exposure-free PSNR, dB", "+.3f"),
    ("psnr", "PSNR, dB", "+.3f"),
    ("psnr_face", "face, dB", "+.3f"),
    ("sharpness", "sharpness", "+.3f"),
    ("we", "WE, 1e-3", "+.4f"),
)
DARK_FIGURES = (
    ("exposure_free", "exposure-free PSNR, dB", "+.3f"),
    ("sharpness", "sharpness", "+.3f"),
    ("ab_var", "AB(Var)", "+.4f"),
    ("mabd", "MABD error", "+.4f"),
)


def page(rows: Rows, verdicts: list[Verdict], about: dict[str, Any]) -> str:
    """The whole page."""
    yes, no = (sum(v.holds is answer for v in verdicts) for answer in (True, False))
    signs = marks(bool(about["steps"]), [arm for arm, tensors in about["missing"].items() if tensors])
    how = (
        f"each arm's configuration trained on for {about['steps']} steps from the same weights"
        if about["steps"]
        else "**parts switched off at run time only**, on weights that were trained with them: what a part is worth to "
        "this model, not what a model trained without it would do"
    )
    lines = [
        "# Ablations",
        "",
        f"Written by `{about['command']}`; do not edit. Checkpoint:",
        f"step {about['step']}, {about['minutes']:.0f} minutes.",
        f"{about['cases']} clips of {about['frames']} frames, {about['people']} people, {about['size']} px, by the",
        f"protocol of `clearcall bench quality`; {how}.",
        "Differences are the arm's figure less that of the generator as it is, on the same clips; in brackets the 95 %",
        "interval of the bootstrap over people.",
        "",
        f"## Claims: {yes} yes, {no} no, {len(verdicts) - yes - no} not measured",
        "",
        "Yes needs the whole interval on the right side of 0 where the claim is one of a difference. Where no other",
        "figure is named, is exposure-free PSNR: a few steps of training move the light of dark clips by decibels.",
        "",
        "| system | claim | holds | figures |",
        "|---|---|---|---|",
        *(f"| {v.system} | {v.claim} | {v.word} | {v.figures} |" for v in verdicts),
        "",
        "## All tasks",
        "",
        *_table(rows, FIGURES, None, signs),
        "",
        f"## Dark clips ({' and '.join(DIM)})",
        "",
        *_table(rows, DARK_FIGURES, DIM, signs),
    ]
    for note in legend(signs.values(), about["steps"]):
        lines += ["", note]
    return "\n".join(lines) + "\n"


def _table(rows: Rows, figures: Any, tasks: Any, signs: dict[str, str]) -> list[str]:
    heads = " | ".join(name for _, name, _ in figures)
    out = [f"| system | arm | {heads} |", "|---|---|" + "---|" * len(figures)]
    first = [average(rows, WHOLE, key, tasks) for key, _, _ in figures]
    shown_first = " | ".join("-" if v is None else f"{v:.3f}" for v in first)
    out.append(f"| {CLEARCALL} | {WHOLE} | {shown_first} |")
    systems = {arm.name: arm.system for arm in ARMS}
    for arm in rows:
        if arm == WHOLE:
            continue
        cells = " | ".join(shown(difference(rows, arm, WHOLE, key, tasks), "", form) for key, _, form in figures)
        out.append(f"| {systems.get(arm, 'peer')} | {arm}{signs.get(arm, '')} | {cells} |")
    return out
