"""For every "works when" of the five systems, and of the whole: yes, no, or not measured, and by what figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from benchmarks.ablation.arms import CLEARCALL, SKIPPED, STAGED, WHOLE
from benchmarks.ablation.differences import Rows, falls, rises
from benchmarks.ablation.findings import QUALITY, Findings, Verdict, shown
from benchmarks.quality.methods import UNTOUCHED
from benchmarks.quality.protocol import CLEAN, DARK, LEVELS
from training.degrade import TASKS

DIM = ("low light", DARK)
PEERS = ("OpenCV CLAHE", "auto levels")
"""Real-time low-light peers; the fixed gain is told the answer, and is none"""
PERPLEXITY = 0.3
STEPS_APART = 0.1
"""dB that one step may be behind eight"""
AUTO_BEHIND = 0.3
"""dB that auto may be behind the right prompt"""
ALIKE = 0.05
"""dB of the whole crop that training on the face may cost"""
SOFTER = 0.02
"""Sharpness that a steadier picture may cost"""
LOCAL = 0.5
"""Share of the change that has to lie near a region which was taken away"""
PICKED = 0.5
"""Share of a task's clips that auto has to find it in"""
LIVE_MS = 33.0
"""A frame's time at 30 frames a second"""
AGREED = 0.9
"""Share of the labelled faces, of the good and of the damaged ones, that curation has to agree with"""


def verdicts(rows: Rows, facts: Mapping[str, Any]) -> list[Verdict]:
    """All of them.

    Args:
        rows: By arm; peers and the untouched input are arms, too.
        facts: `repeats`, `strength_0`, `calls`, `local_share`, `auto_right` (task to share), `live_ms`, `codes` (name
            to perplexity as a share), `untrained` (arms with parts that had no trained weights), `trained` (whether
            arms were trained on), `curation` (of `curation.measure_curation`).
    """
    found = Findings(rows, facts)
    return [verdict for system in (_dvface, _vividface, _dldiff, _cugd, _tdm, _clearcall) for verdict in system(found)]


def _dvface(found: Findings) -> Iterator[Verdict]:
    yield found.costs("DVFace", "the spatial codebook, off, costs quality", "spatial codes off")
    yield found.costs("DVFace", "the temporal codebook, off, costs quality", "temporal codes off")
    yield found.costs("DVFace", "the fusion, off, costs quality", "fusion off")
    codes = found.facts.get("codes") or {}
    text = ", ".join(f"{name} {100 * share:.0f} %" for name, share in codes.items())
    holds = all(share > PERPLEXITY for share in codes.values()) if codes else None
    yield Verdict("DVFace", f"code perplexity is over {100 * PERPLEXITY:.0f} % of the entries", holds, text)
    for claim, arm in (("swapped", "fusion swapped"), ("equal", "fusion symmetric")):
        verdict = found.costs("DVFace", f"asymmetric fusion beats {claim} roles", arm)
        if arm in found.facts.get("untrained", ()) and not found.trained:
            verdict = replace(verdict, holds=None, figures=f"{verdict.figures}; says nothing without training on")
        yield verdict


def _vividface(found: Findings) -> Iterator[Verdict]:
    facts = found.facts
    calls = facts.get("calls")
    yield Verdict("VividFace", "one generator call a frame", None if calls is None else calls == 1, f"{calls}")
    yield Verdict("VividFace", "the same input gives the same bits", facts.get("repeats"), "")
    yield Verdict("VividFace", "strength 0 returns the input", facts.get("strength_0"), "")
    face, whole = (found.change("face switch off", key) for key in ("psnr_face", "psnr"))
    holds = None
    if found.trained and (fell := falls(face)) is not None and whole is not None:
        holds = fell and whole.mean <= ALIKE
    claim = f"the face switch raises face PSNR at equal whole-crop PSNR (at most {ALIKE:g} dB lower)"
    yield Verdict("VividFace", claim, holds, f"off: face {shown(face)}, whole crop {shown(whole)}")
    eight = found.change("8 steps", QUALITY)
    near = None if eight is None else eight.mean <= STEPS_APART
    claim = f"one step is within {STEPS_APART:g} dB of eight"
    yield Verdict("VividFace", claim, near, f"{found.named('8 steps')}: {shown(eight)}")
    yield _curation(facts.get("curation"))


def _curation(found: Mapping[str, Any] | None) -> Verdict:
    """Limits are fitted on other people than those that this is measured on."""
    claim = f"curation keeps, rejects, and is calibrated (agrees on {100 * AGREED:.0f} % of either kind)"
    if found is None:
        return Verdict("VividFace", claim, None, "see curation.md; --labelled measures it")
    figures = (
        f"keeps {100 * found['kept']:.0f} % of {found['good']:.0f} good faces, "
        f"rejects {100 * found['rejected']:.0f} % of {found['damaged']:.0f} damaged ones"
    )
    return Verdict("VividFace", claim, min(found["kept"], found["rejected"]) >= AGREED, figures)


STEADY = (("ab_var", "AB(Var)"), ("mabd", "MABD error"))


def _dldiff(found: Findings) -> Iterator[Verdict]:
    arm = "per frame"
    for figure, name in STEADY:
        claim, change = f"dark clips: {name} below our own per-frame model's", found.change(arm, figure, DIM)
        text = f"{found.named(arm)}: {shown(change, '')}, {found.sharpness(arm, DIM)}"
        yield Verdict("DL-Diff", claim, rises(change), text)
    yield found.costs("DL-Diff", "dark clips: exposure-free PSNR above our own per-frame model's", arm, QUALITY, DIM)
    claim = "dark clips: temporal parts learn more in stages than with the stages skipped"
    skipped = found.change(SKIPPED, QUALITY, DIM, STAGED)
    more = [f"{name} {shown(found.change(SKIPPED, figure, DIM, STAGED), '')}" for figure, name in STEADY]
    more.append(found.sharpness(SKIPPED, DIM, STAGED))
    yield Verdict("DL-Diff", claim, falls(skipped), f"{found.named(SKIPPED)}: {shown(skipped)}, {', '.join(more)}")
    for figure, name in STEADY:
        changes = {peer: found.change(peer, figure, DIM) for peer in PEERS}
        text = "; ".join(f"{p}: {shown(change, '')}, {found.sharpness(p, DIM)}" for p, change in changes.items())
        claim = f"dark clips: {name} below every real-time peer's"
        yield Verdict("DL-Diff", claim, _all(map(rises, changes.values())), text)
    changes = {peer: found.change(peer, QUALITY, DIM) for peer in PEERS}
    text = "; ".join(f"{peer}: {shown(change)}" for peer, change in changes.items())
    claim = "dark clips: exposure-free PSNR above every real-time peer's"
    yield Verdict("DL-Diff", claim, _all(map(falls, changes.values())), text)


def _cugd(found: Findings) -> Iterator[Verdict]:
    share = found.facts.get("local_share")
    text = "" if share is None else f"{100 * share:.0f} % of the change within twice the lips' extent"
    claim = f"region maps change the output locally (over {100 * LOCAL:.0f} % of the change)"
    yield Verdict("CUGD", claim, None if share is None else share > LOCAL, text)
    yield found.costs("CUGD", "dark clips: without regions, face PSNR falls", "regions unknown", "psnr_face", DIM)
    claim = "the semantic weight helps against uniform weights"
    verdict = found.costs("CUGD", claim, "semantic weights off", "psnr_face")
    yield verdict if found.trained else replace(verdict, holds=None)


def _tdm(found: Findings) -> Iterator[Verdict]:
    wrong = {task: found.change("wrong prompt", "psnr", (task,)) for task in TASKS}
    text = f"{found.named('wrong prompt')}: {_by_task(wrong)}"
    yield Verdict("TDM", "the right prompt beats a wrong one on every task", _all(map(falls, wrong.values())), text)
    right = found.facts.get("auto_right") or {}
    text = "; ".join(f"{task} {100 * right[task]:.0f} %" for task in TASKS if task in right)
    claim = f"auto picks the right prompt on every task (in over {100 * PICKED:.0f} % of its clips)"
    yield Verdict("TDM", claim, _all(right[task] > PICKED if task in right else None for task in TASKS), text)
    steadier, sharper = (found.change("attention off", key) for key in ("we", "sharpness"))
    holds = None
    if (rose := rises(steadier)) is not None and sharper is not None:
        holds = rose and sharper.mean <= SOFTER
    figures = f"off: WE {shown(steadier, '', '+.4f')}, {found.sharpness('attention off')}"
    claim = f"the window lowers WE without losing sharpness (more than {SOFTER:g})"
    yield Verdict("TDM", claim, holds, figures)
    noise = "start with noise"
    noisy = found.change(noise, "we")
    figures = f"{found.named(noise)}: WE {shown(noisy, '', '+.4f')}, {found.sharpness(noise)}"
    yield Verdict("TDM", "the deterministic start is steadier than one with noise", rises(noisy), figures)
    gains = {task: found.change(WHOLE, "psnr", (task,), UNTOUCHED) for task in TASKS}
    yield Verdict("TDM", "all tasks improve in one model", _all(map(rises, gains.values())), _by_task(gains))
    spent = found.facts.get("live_ms")
    text = "" if spent is None else f"{spent:.1f} ms a frame here; tracking, crop and paste come on top"
    claim = f"all tasks run in one model, live: its shipped graph of 384 px, on one thread, in {LIVE_MS:g} ms"
    yield Verdict("TDM", claim, None if spent is None else spent < LIVE_MS, text)


def _clearcall(found: Findings) -> Iterator[Verdict]:
    """What is asked of the whole, on every task and not in the dark alone."""
    arm, damaged = "per frame", [task for task in LEVELS if task != CLEAN]
    # Steady on some tasks is no answer to a question about all.
    complete = all(found.change(arm, "we", (task,)) is not None for task in TASKS)
    sharper = found.change(arm, "sharpness", damaged)
    for figure, name, form in (("we", "WE", "+.4f"), ("ab_var", "AB(Var)", "+.3f")):
        change = found.change(arm, figure, damaged)
        holds = None
        if complete and (rose := rises(change)) is not None and sharper is not None:
            holds = rose and sharper.mean <= SOFTER
        text = f"{found.named(arm)}: {name} {shown(change, '', form)}, {found.sharpness(arm, damaged)}"
        claim = f"all tasks: {name} below our own per-frame model's, at equal sharpness (at most {SOFTER:g} lower)"
        yield Verdict(CLEARCALL, claim, holds, text)
    auto = "prompt auto"
    behind = {task: found.change(auto, "psnr", (task,)) for task in TASKS}
    near = _all(None if c is None or c.low is None else c.mean >= -AUTO_BEHIND for c in behind.values())
    claim = f"auto is within {AUTO_BEHIND:g} dB of the right prompt on every task"
    yield Verdict(CLEARCALL, claim, near, f"{found.named(auto)}: {_by_task(behind)}")


def _by_task(changes: Mapping[str, Any]) -> str:
    return "; ".join(f"{task} {shown(one)}" for task, one in changes.items() if one)


def _all(answers: Iterable[bool | None]) -> bool | None:
    found = list(answers)
    if any(a is False for a in found):
        return False
    return None if not found or any(a is None for a in found) else True
