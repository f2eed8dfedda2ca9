"""The manifest: what was found, how good it is, what was decided and why, as one JSON file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engines.errors import ClearcallError
from training.curation.rubric import Rubric
from training.curation.store import write_whole
from training.curation.verdict import Verdict

NAME = "manifest.json"
FORMAT = 1


def manifest(
    verdicts: Sequence[Verdict],
    skipped: dict[str, str],
    rubric: Rubric,
    complete: bool,
    judge: dict[str, Any] | None,
    kept_files: dict[str, str],
) -> dict[str, Any]:
    """The manifest's content; the same folder and settings give the same.

    Args:
        verdicts: In the order of their entries.
        skipped: Source to why it could not be read.
        rubric: The limits that were used.
        complete: False after a run that was broken off.
        judge: Model, address and why entries were not judged; None without a judge.
        kept_files: Entry id to the crop or clip written for it, within the output folder.
    """
    kept = sum(v.kept for v in verdicts)
    return {
        "format": FORMAT,
        "complete": complete,
        "kept": kept,
        "rejected": len(verdicts) - kept,
        "limits": dict(rubric.limits),
        "judge": judge,
        "entries": [_entry(v, judge, kept_files) for v in verdicts],
        "skipped": [{"source": name, "reason": why} for name, why in sorted(skipped.items())],
    }


def _entry(verdict: Verdict, judge: dict[str, Any] | None, kept_files: dict[str, str]) -> dict[str, Any]:
    entry = verdict.entry
    raw: dict[str, Any] = {
        "id": entry.id,
        "source": entry.source,
        "kind": "photo" if entry.frames is None else "track",
        "verdict": "keep" if verdict.kept else "reject",
        "reasons": verdict.reasons,
        "scores": verdict.scores,
        "measures": entry.measures,
        "person": verdict.person,
        "duplicate_of": verdict.duplicate_of,
        "square": {"x": entry.square.x, "y": entry.square.y, "edge": entry.square.edge},
        "picture": entry.picture,
    }
    if entry.frames is not None and entry.window is not None:
        raw["frames"] = [entry.frames.first, entry.frames.last]
        raw["window"] = [entry.window.first, entry.window.last]
        raw["rate"] = entry.rate
    if judge is not None:
        judgement = verdict.judgement
        raw["judged_by"] = "measures" if judgement is None else "judge"
        if judgement is not None:
            raw["judge_reason"] = judgement.reason
    if entry.id in kept_files:
        raw["file"] = kept_files[entry.id]
    return raw


def write_manifest(out: Path, content: dict[str, Any]) -> None:
    """Write it in one step; ClearcallError where the disk says no."""
    try:
        write_whole(out / NAME, (json.dumps(content, indent=1) + "\n").encode())
    except OSError as error:
        raise ClearcallError(f"cannot write {out / NAME}: {error.strerror}") from error
