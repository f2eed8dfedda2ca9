"""The whole run: scan what is new, ask the judge, decide, write it all down."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engines.errors import ClearcallError
from stream.files.job import Stop, Stopped
from stream.files.progress import Progress
from training.curation.find import FaceFinder
from training.curation.judge import JudgeSettings
from training.curation.judging import Judged, judge_all
from training.curation.keep import write_kept
from training.curation.likeness import load_likeness
from training.curation.manifest import manifest, write_manifest
from training.curation.rubric import Rubric, load_rubric
from training.curation.scan import scan
from training.curation.sheet import write_sheets
from training.curation.sources import SourceFile, count_frames, list_sources
from training.curation.store import Entry, Store
from training.curation.verdict import Verdict, decide


@dataclass(frozen=True, slots=True)
class Settings:
    """One run."""

    folder: Path
    out: Path
    rubric: Rubric
    """The limits that decide; scanning itself goes by the calibrated ones."""
    per_person: int = 0
    keep: bool = False
    judge: JudgeSettings | None = None
    quiet: bool = False


@dataclass(slots=True)
class _Run:
    """What a run has so far: enough to write a manifest at any moment."""

    sources: list[SourceFile]
    entries: list[Entry] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    judged: Judged = field(default_factory=Judged)
    files: dict[str, str] = field(default_factory=dict)


def curate(settings: Settings, finder: Callable[[], FaceFinder]) -> list[Verdict]:
    """Curate a folder; returns the verdicts.

    Args:
        settings: What to do.
        finder: Loads the face models; called only where there is something to scan.

    Raises:
        BadInput: The folder holds nothing, or the output folder cannot be used.
        ClearcallError: No source could be read, or writing failed.
        KeyboardInterrupt: Ctrl-C; the manifest then tells what was done, and the next run goes on from there.
    """
    run = _Run(list_sources(settings.folder, settings.out))
    with Store(settings.out, load_rubric()) as store, Stop() as stop:
        if store.damaged:
            _say(f"{store.damaged} damaged lines of an earlier run: their sources are scanned again")
        try:
            _scan(run, store, settings, stop, finder)
            _judge(run, settings, stop)
            verdicts = _decide(run, settings)
            if settings.keep:
                run.files = _keep(run, verdicts, settings, stop)
        except (KeyboardInterrupt, Stopped):
            _write(run, _decide(run, settings), settings, complete=False)
            _say(f"{len(run.entries)} faces so far are in {settings.out}; the same command goes on from there")
            raise
        _write(run, verdicts, settings, complete=True)
        write_sheets(settings.out, verdicts)
    if len(run.skipped) == len(run.sources):
        raise ClearcallError(f"none of the {len(run.sources)} photos and videos could be read")
    return verdicts


def _scan(run: _Run, store: Store, settings: Settings, stop: Stop, load: Callable[[], FaceFinder]) -> None:
    known = {source.name: store.entries(source) for source in run.sources}
    # At once, so that a run that is broken off here still tells of all that earlier ones found.
    run.entries = [entry for entries in known.values() for entry in entries or ()]
    waiting = [source for source in run.sources if known[source.name] is None]
    if not waiting:
        return
    finder, rubric = load(), load_rubric()
    done = 0
    progress = Progress(sum(count_frames(source) for source in waiting), sys.stderr, quiet=settings.quiet)

    def tick() -> None:
        nonlocal done
        done += 1
        stop.check()
        progress.update(done)

    try:
        for source in waiting:
            stop.check()
            try:
                found = scan(source, finder, rubric, tick)
            except Stopped:
                raise
            except ClearcallError as error:
                run.skipped[source.name] = _within(str(error), settings.folder)
                progress.close()
                _say(f"skipped: {error}")
                continue
            known[source.name] = store.add(source, found)
            run.entries = [entry for entries in known.values() for entry in entries or ()]
    finally:
        progress.close()


def _judge(run: _Run, settings: Settings, stop: Stop) -> None:
    if settings.judge is None or not run.entries:
        return
    progress = Progress(len(run.entries), sys.stderr, quiet=settings.quiet)

    def seen(done: int) -> None:
        stop.check()
        progress.update(done)

    try:
        run.judged = judge_all(settings.out, run.entries, settings.judge, seen)
    finally:
        progress.close()
    failures = run.judged.failures
    if failures:
        why = next(iter(failures.values()))
        words = "the judge was given up" if run.judged.gave_up else "the judge did not answer on all"
        _say(f"{words}: {len(failures)} of {len(run.entries)} faces go by the measures ({why})")


def _decide(run: _Run, settings: Settings) -> list[Verdict]:
    return decide(run.entries, settings.rubric, load_likeness(), run.judged.answers, settings.per_person)


def _keep(run: _Run, verdicts: list[Verdict], settings: Settings, stop: Stop) -> dict[str, str]:
    progress, done = Progress(None, sys.stderr, quiet=settings.quiet), 0

    def tick() -> None:
        nonlocal done
        done += 1
        stop.check()
        progress.update(done)

    try:
        return write_kept(settings.out, verdicts, {s.name: s for s in run.sources}, tick)
    finally:
        progress.close()


def _write(run: _Run, verdicts: list[Verdict], settings: Settings, complete: bool) -> None:
    judge: dict[str, Any] | None = None
    if settings.judge is not None:
        judge = {"url": settings.judge.url, "model": settings.judge.model, "failures": run.judged.failures}
    content = manifest(verdicts, run.skipped, settings.rubric, complete, judge, run.files)
    write_manifest(settings.out, content)


def _within(text: str, folder: Path) -> str:
    """The text without the folder's own path: the manifest is the same wherever the folder lies."""
    return text.replace(f"{folder}{os.sep}", "")


def _say(text: str) -> None:
    print(f"clearcall: {text}", file=sys.stderr)
