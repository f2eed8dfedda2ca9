"""The face alone against the whole frame: what each makes of the whole frame, and what a frame's parts cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from benchmarks.quality.methods import SCOPES, UNTOUCHED, pipeline_name
from benchmarks.quality.summary import label
from stream.restorer import STAGES

PARTS = ("track", *STAGES)


def lines(found: dict[str, Any], prompts: Sequence[str]) -> Iterator[str]:
    """Two tables in Markdown for each prompt that both scopes were run under.

    Args:
        found: A run as it goes into `--json`.
        prompts: Those of the run.
    """
    for prompt in prompts:
        names = {scope: pipeline_name(prompt, scope) for scope in SCOPES}
        tasks = {t: m for t, m in found["summary"].items() if set(names.values()) <= m.keys()}
        if tasks:
            yield from ("", f"Prompt {prompt}, whole frame, PSNR (exposure-free PSNR), dB:", "")
            yield from quality(tasks, [UNTOUCHED, *names.values()], ["input", *names])
            yield from ("", f"Prompt {prompt}, ms of a frame by part, medians; empty where it had nothing to do:", "")
            yield from cost(tasks, found["rows"], names)


def quality(tasks: dict[str, Any], methods: Sequence[str], heads: Sequence[str]) -> Iterator[str]:
    """A row a task, a column a method."""
    yield from _head("task", heads)
    for task, found in tasks.items():
        clips = found[UNTOUCHED]["clips"]
        cells = [_decibels(found[name]["figures"]) for name in methods]
        yield f"| {task}, {clips} clip{'' if clips == 1 else 's'} | {' | '.join(cells)} |"


def cost(tasks: dict[str, Any], rows: Sequence[dict[str, Any]], names: dict[str, str]) -> Iterator[str]:
    """A row a task and scope, a column a part."""
    yield from _head("task, scope", (*PARTS, "all"))
    for task, found in tasks.items():
        for scope, name in names.items():
            told = [row.get("stages", {}) for row in rows if label(row) == task and row["method"] == name]
            cells = []
            for part in PARTS:
                times = [stages[part] for stages in told if part in stages]
                cells.append(f"{median(times):.1f}" if times else "")
            yield f"| {task}, {scope} | {' | '.join(cells)} | {found[name]['ms']:.1f} |"


def _head(first: str, others: Sequence[str]) -> Iterator[str]:
    yield f"| {first} | {' | '.join(others)} |"
    yield "|---" * (1 + len(others)) + "|"


def _decibels(figures: dict[str, Any]) -> str:
    if "psnr" not in figures:
        return "-"
    return f"{figures['psnr']['mean']:.2f} ({figures['exposure_free']['mean']:.2f})"
