"""What is said when a file is done: what was wrong with it, and how long the stages took."""

from __future__ import annotations

from collections.abc import Mapping

from stream.files.job import Counts
from stream.files.source import Source
from stream.timing import Histogram


def notes(source: Source, left_out: list[str]) -> list[str]:
    """What the user should know about a file that was filtered nevertheless, one line each."""
    texts = []
    if source.undecodable:
        texts.append(f"{source.path} is damaged: {_counted(source.undecodable, 'packet')} could not be decoded")
    if source.incomplete:
        texts.append(f"{source.path} is damaged: {_counted(source.incomplete, 'frame')} only decoded in part")
    if source.cut_short:
        texts.append(f"{source.path} breaks off before its end")
    if source.resized:
        size = f"{source.facts.picture.width}x{source.facts.picture.height}"
        texts.append(f"{_counted(source.resized, 'frame')} of another size or format scaled to {size}")
    if left_out:
        texts.append(f"left out, the output cannot hold it: {', '.join(left_out)}")
    return texts


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def summary(counts: Counts, figures: Mapping[str, object], decoding: Histogram) -> str:
    """The stage table, then frames, seconds and frames per second."""
    stages: dict[str, Mapping[str, float]] = {"decode": decoding.figures(), "filter": counts.filtering.figures()}
    inner = figures.get("stages")
    stages.update({f"  {name}": times for name, times in inner.items()} if isinstance(inner, dict) else {})
    stages["encode"] = counts.encoding.figures()
    fps = counts.frames / counts.seconds if counts.seconds > 0 else 0.0
    words = f"{counts.frames} frames in {counts.seconds:.1f} s: {fps:.1f} fps"
    if isinstance(figures.get("changed"), int):
        words += f", {figures['changed']} changed"
    if "understood" in figures:
        words += f", prompt {figures['understood']}"
    failures = figures.get("failures")
    if isinstance(failures, dict) and any(failures.values()):
        words += f"; passed on as they were: {', '.join(f'{kind} {n}' for kind, n in failures.items() if n)}"
    return f"{_table(stages)}\n{words}"


def _table(stages: Mapping[str, Mapping[str, float]]) -> str:
    """Stages, one a line, with median and 95th percentile in milliseconds."""
    rows = [f"{'stage':<10} {'median ms':>10} {'p95 ms':>8}"]
    rows += [f"{name:<10} {times['median_ms']:>10.2f} {times['p95_ms']:>8.2f}" for name, times in stages.items()]
    return "\n".join(rows)
