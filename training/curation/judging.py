"""Asks the judge about many entries, remembers its answers, and gives up on one that does not answer."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from engines.errors import ClearcallError
from training.curation.judge import Judge, JudgeError, Judgement, JudgeSettings, Sleep, parse_answer, question
from training.curation.store import Entry

LINES = "judged.jsonl"
AT_ONCE = 4
BEAT = 0.2
"""Seconds between two looks at how far it is."""

GIVE_UP = 5
"""Entries in a row without an answer after which the judge is taken for gone."""


class Judged:
    """What the judge said, by entry id, and why it did not answer where it did not."""

    def __init__(self) -> None:
        self.answers: dict[str, Judgement] = {}
        self.failures: dict[str, str] = {}
        self.gave_up = False


def judge_all(
    out: Path,
    entries: Sequence[Entry],
    settings: JudgeSettings,
    progress: Callable[[int], None],
    sleep: Sleep = asyncio.sleep,
) -> Judged:
    """The judge's word on all entries; what an earlier run got from the same model for the same picture is used again.

    Args:
        out: Output folder with the entries' pictures.
        entries: Whom to ask about.
        settings: The judge.
        progress: Called with the number of entries done, now and then; may raise to stop.
        sleep: For the pauses between tries.

    Raises:
        ClearcallError: The answers cannot be written down.
    """
    try:
        known = _read(out / LINES)
        with (out / LINES).open("ab") as lines:
            return asyncio.run(_all(out, entries, settings, known, lines, progress, sleep))
    except OSError as error:
        raise ClearcallError(f"cannot write {out}: {error.strerror}") from error


async def _all(
    out: Path,
    entries: Sequence[Entry],
    settings: JudgeSettings,
    known: dict[str, Judgement],
    lines: IO[bytes],
    progress: Callable[[int], None],
    sleep: Sleep,
) -> Judged:
    judged, waiting, missed = Judged(), list(reversed(entries)), 0

    async def work(judge: Judge) -> None:
        nonlocal missed
        while waiting and missed < GIVE_UP:
            entry = waiting.pop()
            picture = (out / entry.picture).read_bytes()
            key = _key(picture, settings)
            try:
                answer = known[key] if key in known else await judge(picture)
            except JudgeError as error:
                judged.failures[entry.id], missed = str(error), missed + 1
            else:
                judged.answers[entry.id] = answer
                if key not in known:
                    missed = 0
                    _write(lines, key, answer)

    async with Judge(settings, sleep) as judge:
        workers = [asyncio.create_task(work(judge)) for _ in range(AT_ONCE)]
        try:
            pending = set(workers)
            while pending:
                # Not just after an answer: a slow judge must not keep a Ctrl-C waiting.
                _, pending = await asyncio.wait(pending, timeout=BEAT)
                progress(len(judged.answers) + len(judged.failures))
            for worker in workers:
                worker.result()
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
    judged.gave_up = bool(waiting)
    for entry in waiting:
        judged.failures[entry.id] = "not asked: the judge did not answer"
    return judged


def _key(picture: bytes, settings: JudgeSettings) -> str:
    """What an answer rests on: the picture, the question, the model and where it is."""
    text = json.dumps([hashlib.sha256(picture).hexdigest(), question(), settings.model, settings.url])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _write(lines: IO[bytes], key: str, answer: Judgement) -> None:
    raw = {"key": key, "answer": json.dumps({**answer.scores, "reason": answer.reason})}
    # The line break comes first: the last run may have broken off within a line.
    lines.write(b"\n" + json.dumps(raw).encode())
    lines.flush()


def _read(path: Path) -> dict[str, Judgement]:
    known: dict[str, Judgement] = {}
    if not path.exists():
        return known
    with path.open("rb") as lines:
        for line in lines:
            try:
                raw: dict[str, Any] = json.loads(line)
                known[str(raw["key"])] = parse_answer(raw["answer"])
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                continue  # blank or damaged: asked again
    return known
