"""The search for how many callers a machine serves: what counts as served, and what ends it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.latency import phase, sessions
from benchmarks.latency.limits import parse_limits
from benchmarks.latency.options import Settings
from engines.errors import ClearcallError
from stream.cli import main
from stream.relay.settings import RelaySettings
from tests.benchmarks.latency.pictures import film
from tests.stream.relay.fakes import relay

DEFAULT = parse_limits(sessions.REAL_TIME)


def _caller(changed: float | None, missing: int = 0) -> dict[str, Any]:
    return {"sent": 300, "missing": missing, "p95": 60.0, "changed": changed}


def _words(tmp_path: Path, *more: str) -> list[str]:
    film(tmp_path / "film.mp4")
    options = {"--resolution": "320x180", "--fps": 10, "--seconds": 1, "--warm-up": 0.2}
    words = [str(word) for pair in options.items() for word in pair]
    named = ["--recording", str(tmp_path / "film.mp4"), "--json", str(tmp_path / "run.json")]
    return ["bench", "sessions", *named, *words, *more]


def test_a_caller_whose_frames_pass_is_not_served() -> None:
    # Guards against a relay that carries any number of callers by restoring none of them.
    good, passing, silent = _caller(99.0), _caller(40.0), _caller(None)
    assert sessions.first_missed({"callers": [good, good]}, DEFAULT) is None
    assert sessions.first_missed({"callers": [good, good, passing]}, DEFAULT) == "changed ≥ 95 %: it is 40"
    assert sessions.first_missed({"callers": [good, silent]}, DEFAULT) == "changed ≥ 95 %: not measured"


def test_a_relay_that_tells_nobody_what_it_changed_is_judged_by_the_rest() -> None:
    silent = {"callers": [_caller(None), _caller(None, missing=30)]}
    limits = sessions.applicable(DEFAULT, silent)
    assert sessions.first_missed(silent, limits) == "missing ≤ 1 %: it is 10.00 %"
    told = {"callers": [_caller(99.0), _caller(None)]}
    assert sessions.applicable(DEFAULT, told) == DEFAULT, "one caller was told: the other may not be left out"


def test_what_the_relay_uses_may_be_limited_too() -> None:
    found = {"callers": [_caller(99.0)], "cpu": 70.0, "memory": 1.0}
    assert sessions.first_missed(found, parse_limits("cpu=60%")) == "cpu ≤ 60 %: it is 70"


def _measured(monkeypatch: pytest.MonkeyPatch, up_to: int) -> list[int]:
    """Calls that fail from so many callers on, without any relay; gives the numbers asked for."""
    asked: list[int] = []

    async def measure(settings: Settings, plan: phase.Plan) -> dict[str, Any]:
        asked.append(plan.callers)
        if plan.callers > up_to:
            raise ClearcallError("no picture came back within 60 s")
        return {"callers": [_caller(99.0)] * plan.callers, "processes": {}}

    monkeypatch.setattr(sessions, "_measure", measure)
    return asked


def test_callers_that_cannot_be_served_are_the_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Guards against an hour's search that ends in an error because the relay was full.
    asked = _measured(monkeypatch, 3)
    assert main(_words(tmp_path, "--most", "8")) == 0
    out = capsys.readouterr().out
    assert asked == [1, 2, 4, 3]
    assert "4 x 180p10: no, no picture came back within 60 s" in out and "3 streams of 180p10" in out
    found = json.loads((tmp_path / "run.json").read_text())
    assert found["streams"] == 3
    assert [each["missed"] for each in found["tried"]] == [None, None, "no picture came back within 60 s", None]


def test_one_caller_that_cannot_be_served_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _measured(monkeypatch, 0)
    assert main(_words(tmp_path)) == 1
    assert "no picture came back" in capsys.readouterr().err and not (tmp_path / "run.json").exists()


def test_a_full_relay_is_the_answer_and_is_left_empty(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Guards against callers that are killed instead of hanging up: the next trial would find the relay full of them.
    async def run() -> tuple[int, int]:
        async with relay(monkeypatch, RelaySettings(max_sessions=1)) as (made, client):
            target = str(client.make_url("/"))
            status = await asyncio.to_thread(main, _words(tmp_path, "--target", target, "--most", "2"))
            return status, len(made.table)

    assert asyncio.run(run()) == (0, 0)
    out = capsys.readouterr().out
    assert "answered 503" in out and "1 stream of" in out
