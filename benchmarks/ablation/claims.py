"""For every "works when" of the five systems: yes, no, or not measured, and by what figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.ablation.arms import SKIPPED, STAGED, WHOLE
from benchmarks.ablation.differences import Rows, difference, falls, rises
from benchmarks.quality.bootstrap import Interval
from benchmarks.quality.methods import UNTOUCHED
from benchmarks.quality.protocol import DARK
from training.degrade import TASKS

DIM = ("low light", DARK)
PEERS = ("OpenCV CLAHE", "auto levels")
"""Real-time low-light peers; the fixed gain is told the answer, and is none"""
PERPLEXITY = 0.3
STEPS_APART = 0.1
"""dB that one step may be behind eight"""
ALIKE = 0.05
"""dB of the whole crop that training on the face may cost"""
SOFTER = 0.02
"""Sharpness that a steadier picture may cost"""
LOCAL = 0.5
AGREED = 0.9
"""Share of the labelled faces, of the good and of the damaged ones, that curation has to agree with"""
QUALITY = "exposure_free"
"""What parts are judged by: a few steps of training move the light of dark clips, and their PSNR, by whole decibels."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a claim."""

    system: str
    claim: str
    holds: bool | None
    """None where it was not measured"""
    figures: str

    @property
    def word(self) -> str:
        """Yes, no, or not measured."""
        return "not measured" if self.holds is None else "yes" if self.holds else "no"


def verdicts(rows: Rows, facts: Mapping[str, Any]) -> list[Verdict]:
    """All of them.

    Args:
        rows: By arm; peers and the untouched input are arms, too.
        facts: `repeats`, `strength_0`, `calls`, `local_share`, `auto_right`, `codes` (name to perplexity as a share),
            `untrained` (arms with parts that are), `curation` (of `curation.measure_curation`).
    """
    return [*_dvface(rows, facts), *_vividface(rows, facts), *_dldiff(rows), *_cugd(rows, facts), *_tdm(rows, facts)]


def shown(interval: Interval | None, unit: str = " dB", form: str = "+.3f") -> str:
    """A difference as text."""
    if interval is None:
        return "not measured"
    ends = "" if interval.low is None else f" ({interval.low:{form}} .. {interval.high:{form}})"
    return f"{interval.mean:{form}}{unit}{ends}"


def _costs(rows: Rows, system: str, claim: str, arm: str, figure: str = QUALITY, tasks: Any = None) -> Verdict:
    """That switching something off costs quality."""
    found = difference(rows, arm, WHOLE, figure, tasks)
    return Verdict(system, claim, falls(found), f"{arm}: {shown(found)}")


def _dvface(rows: Rows, facts: Mapping[str, Any]) -> Iterator[Verdict]:
    yield _costs(rows, "DVFace", "the spatial codebook, off, costs quality", "spatial codes off")
    yield _costs(rows, "DVFace", "the temporal codebook, off, costs quality", "temporal codes off")
    yield _costs(rows, "DVFace", "the fusion, off, costs quality", "fusion off")
    codes = facts.get("codes") or {}
    text = ", ".join(f"{name} {100 * share:.0f} %" for name, share in codes.items())
    holds = all(share > PERPLEXITY for share in codes.values()) if codes else None
    yield Verdict("DVFace", "code perplexity is over 30 % of the entries", holds, text)
    for claim, arm in (("swapped", "fusion swapped"), ("equal", "fusion symmetric")):
        found = _costs(rows, "DVFace", f"asymmetric fusion beats {claim} roles", arm)
        if arm in facts.get("untrained", ()):
            found = replace(found, holds=None, figures=f"{found.figures}; says nothing without training on")
        yield found


def _vividface(rows: Rows, facts: Mapping[str, Any]) -> Iterator[Verdict]:
    calls = facts.get("calls")
    yield Verdict("VividFace", "one generator call a frame", None if calls is None else calls == 1, f"{calls}")
    yield Verdict("VividFace", "the same input gives the same bits", facts.get("repeats"), "")
    yield Verdict("VividFace", "strength 0 returns the input", facts.get("strength_0"), "")
    face, whole = (difference(rows, "face switch off", WHOLE, key) for key in ("psnr_face", "psnr"))
    holds = None
    if facts.get("trained") and (fell := falls(face)) is not None and whole is not None:
        holds = fell and whole.mean <= ALIKE
    figures = f"off: face {shown(face)}, whole crop {shown(whole)}"
    yield Verdict("VividFace", "the face switch raises face PSNR at equal whole-crop PSNR", holds, figures)
    found = difference(rows, "8 steps", WHOLE, QUALITY)
    near = None if found is None else found.mean <= STEPS_APART
    yield Verdict("VividFace", "one step is within 0.1 dB of eight", near, f"8 steps: {shown(found)}")
    yield _curation(facts.get("curation"))


def _curation(found: Mapping[str, Any] | None) -> Verdict:
    """Limits are fitted on other people than those that this is measured on."""
    claim = "curation keeps, rejects, and is calibrated"
    if found is None:
        return Verdict("VividFace", claim, None, "see curation.md; --labelled measures it")
    figures = (
        f"keeps {100 * found['kept']:.0f} % of {found['good']:.0f} good faces, "
        f"rejects {100 * found['rejected']:.0f} % of {found['damaged']:.0f} damaged ones"
    )
    return Verdict("VividFace", claim, min(found["kept"], found["rejected"]) >= AGREED, figures)


def _dldiff(rows: Rows) -> Iterator[Verdict]:
    for figure, name in (("ab_var", "AB(Var)"), ("mabd", "MABD error")):
        per_frame = difference(rows, "per frame", WHOLE, figure, DIM)
        claim = f"dark clips: {name} below our own per-frame model's"
        yield Verdict("DL-Diff", claim, rises(per_frame), f"per frame: {shown(per_frame, '')}")
    claim = "dark clips: temporal parts learn more in stages than with the stages skipped"
    skipped = difference(rows, SKIPPED, STAGED, QUALITY, DIM)
    more = ", ".join(
        f"{name} {shown(difference(rows, SKIPPED, STAGED, figure, DIM), '')}"
        for figure, name in (("ab_var", "AB(Var)"), ("mabd", "MABD error"))
    )
    yield Verdict("DL-Diff", claim, falls(skipped), f"skipped: {shown(skipped)}, {more}")
    for figure, name, better in (
        ("ab_var", "AB(Var) below", rises),
        ("mabd", "MABD error below", rises),
        ("exposure_free", "exposure-free PSNR above", falls),
    ):
        found = {peer: difference(rows, peer, WHOLE, figure, DIM) for peer in PEERS}
        text = "; ".join(f"{peer}: {shown(one, '')}" for peer, one in found.items())
        claim = f"dark clips: {name} every real-time peer's"
        yield Verdict("DL-Diff", claim, _all(better(one) for one in found.values()), text)


def _cugd(rows: Rows, facts: Mapping[str, Any]) -> Iterator[Verdict]:
    share = facts.get("local_share")
    text = "" if share is None else f"{100 * share:.0f} % of the change within twice the lips' extent"
    yield Verdict("CUGD", "region maps change the output locally", None if share is None else share > LOCAL, text)
    claim = "dark clips: without regions, face PSNR falls"
    yield _costs(rows, "CUGD", claim, "regions unknown", "psnr_face", DIM)
    claim = "the semantic weight helps against uniform weights"
    found = _costs(rows, "CUGD", claim, "semantic weights off", "psnr_face")
    yield found if facts.get("trained") else replace(found, holds=None)


def _tdm(rows: Rows, facts: Mapping[str, Any]) -> Iterator[Verdict]:
    wrong = {task: difference(rows, "wrong prompt", WHOLE, "psnr", (task,)) for task in TASKS}
    text = "; ".join(f"{task} {shown(one)}" for task, one in wrong.items() if one)
    yield Verdict("TDM", "the right prompt beats a wrong one on every task", _all(map(falls, wrong.values())), text)
    right = facts.get("auto_right")
    text = "" if right is None else f"{100 * right:.0f} % of the clips"
    yield Verdict("TDM", "auto picks the right prompt", None if right is None else right > 0.5, text)
    steadier, sharper = (difference(rows, "attention off", WHOLE, key) for key in ("we", "sharpness"))
    holds = None
    if (rose := rises(steadier)) is not None and sharper is not None:
        holds = rose and sharper.mean <= SOFTER
    figures = f"off: WE {shown(steadier, '', '+.4f')}, sharpness {shown(sharper, '')}"
    yield Verdict("TDM", "the window lowers WE without losing sharpness", holds, figures)
    noisy = difference(rows, "start with noise", WHOLE, "we")
    claim = "the deterministic start is steadier than one with noise"
    yield Verdict("TDM", claim, rises(noisy), f"with noise: WE {shown(noisy, '', '+.4f')}")
    gains = {task: difference(rows, WHOLE, UNTOUCHED, "psnr", (task,)) for task in TASKS}
    text = "; ".join(f"{task} {shown(one)}" for task, one in gains.items() if one)
    yield Verdict("TDM", "all tasks improve in one model", _all(map(rises, gains.values())), text)


def _all(answers: Any) -> bool | None:
    found = list(answers)
    if any(a is False for a in found):
        return False
    return None if not found or any(a is None for a in found) else True


