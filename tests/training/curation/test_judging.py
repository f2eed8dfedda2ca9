"""Answers are asked for once, a judge that is gone is given up, and Ctrl-C does not wait for a slow one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from aiohttp import web

from tests.training.curation.endpoint import completion, serving, words
from training.curation.face import Square
from training.curation.judge import TRIES, JudgeSettings
from training.curation.judging import AT_ONCE, GIVE_UP, LINES, judge_all
from training.curation.likeness import LENGTH
from training.curation.store import PICTURES, Entry


async def at_once(seconds: float) -> None:
    pass


def entries(out: Path, count: int) -> list[Entry]:
    (out / PICTURES).mkdir()
    found = [
        Entry(f"{i}.jpg#1", f"{i}.jpg", {}, np.zeros(LENGTH, np.int32), Square(0, 0, 64), None, None, 0.0)
        for i in range(count)
    ]
    for index, entry in enumerate(found):
        (out / entry.picture).write_bytes(b"picture %d" % index)
    return found


def test_answers_are_kept_for_the_next_run(tmp_path: Path) -> None:
    many = entries(tmp_path, 10)
    with serving(lambda number, body: completion(words(eyes=0.3))) as seen:
        settings = JudgeSettings(seen.url)
        first = judge_all(tmp_path, many, settings, lambda done: None, at_once)
        assert len(seen.bodies) == 10 and set(first.answers) == {e.id for e in many}
        # A half-written last line costs one question, no more.
        lines = (tmp_path / LINES).read_bytes()
        (tmp_path / LINES).write_bytes(lines[:-20])
        second = judge_all(tmp_path, many, settings, lambda done: None, at_once)
        assert len(seen.bodies) == 11
        third = judge_all(tmp_path, many, settings, lambda done: None, at_once)
        assert len(seen.bodies) == 11
        assert first.answers == second.answers == third.answers
        judge_all(tmp_path, many[:1], JudgeSettings(seen.url, "other"), lambda done: None, at_once)
        assert len(seen.bodies) == 12


def test_one_failure_is_one_entry(tmp_path: Path) -> None:
    many = entries(tmp_path, 8)

    def answer(number: int, body: dict[str, object]) -> web.StreamResponse:
        bad = "cGljdHVyZSAz" in str(body)  # picture 3
        return web.Response(status=400) if bad else completion(words())

    with serving(answer) as seen:
        judged = judge_all(tmp_path, many, JudgeSettings(seen.url), lambda done: None, at_once)
    assert judged.failures == {"3.jpg#1": "status 400"}
    assert len(judged.answers) == 7 and not judged.gave_up


def test_a_judge_that_is_gone_is_given_up(tmp_path: Path) -> None:
    many = entries(tmp_path, 60)
    with serving(lambda number, body: web.Response(status=500)) as seen:
        judged = judge_all(tmp_path, many, JudgeSettings(seen.url), lambda done: None, at_once)
        assert len(seen.bodies) <= TRIES * (GIVE_UP + AT_ONCE)
    assert judged.gave_up and not judged.answers
    assert set(judged.failures) == {e.id for e in many}


def test_a_stop_does_not_wait_for_a_slow_judge(tmp_path: Path) -> None:
    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with serving(None) as seen, pytest.raises(KeyboardInterrupt):
        judge_all(tmp_path, entries(tmp_path, 3), JudgeSettings(seen.url, timeout=600), stop, at_once)
