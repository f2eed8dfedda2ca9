"""The model's page: what it says comes from figures, and what was not measured is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.model_page.command import read_traits
from benchmarks.model_page.page import page
from benchmarks.model_page.strength import AtStrength, landmark_shift
from benchmarks.quality.bootstrap import Interval
from benchmarks.quality.summary import Row, summary
from engines.errors import BadInput
from stream.cli import main


def rows(method: str, *psnr: float, ita: float = 45.0) -> list[Row]:
    return [
        {"name": f"p{i}", "person": f"p{i}", "task": "noise", "strength": "middle", "method": method, "ms": 5.0,
         "setting": "", "ita": ita, "figures": {"psnr": value, "psnr_face": value - 1, "sharpness": 0.5}}
        for i, value in enumerate(psnr)
    ]  # fmt: skip


def found(*more: Row) -> dict[str, Any]:
    every = [*rows("untouched", 20, 21, 22), *rows("clearcall auto", 25, 26, 21), *more]
    return {
        "settings": {"model": "lite", "frames": 4}, "when": "today", "machine": {"processor": "a machine"},
        "done": 3, "planned": 3, "main": "clearcall auto", "rows": every, "summary": summary(every),
        "worst": [{"task": "noise", "name": "p2", "gain": -1.0}, {"task": "noise", "name": "p0", "gain": 5.0}],
        "shown": [],
    }  # fmt: skip


def made(content: dict[str, Any], traits: dict[str, dict[str, str]] | None = None, **more: str) -> str:
    training = {"minutes": 7, "attributions": ["Somebody, CC0"], **more}
    one = AtStrength("noise", 0.5, Interval(27.0, None, None, 1), Interval(1.5, None, None, 1), None)
    pictures = [("a.jpg", "noise, p2")]
    return page(content, training, [one], traits or {}, pictures, ["Faces Inc."], "clearcall bench model")


def test_gains_are_over_the_input_of_the_same_clips() -> None:
    text = made(found())
    # +5, +5, -1: three on average.
    assert "| noise | 21.00 | 24.00 | +3.00 (" in text
    assert "Of 2 damaged clips, 1 came out further" in text
    assert "  - Somebody, CC0" in text and "![noise, p2](a.jpg)" in text and "Faces: Faces Inc." in text


def test_minutes_of_a_last_run_do_not_pass_for_all() -> None:
    # Guards against weights of four hours that seem to be of six minutes.
    assert "last of several runs" not in made(found(), command="clearcall train F")
    assert "last of several runs" in made(found(), command="clearcall train F --start-from last.pt")


def test_a_peer_that_is_told_the_answer_is_not_the_best_one() -> None:
    text = made(found(*rows("fixed gain, known", 40, 41, 42), *rows("median", 22, 23, 24), *rows("clahe", 20, 21, 22)))
    assert "| median | +2.00 (+2.00 .. +2.00) |" in text


def test_people_are_shown_by_tone_and_by_traits_where_there_are_labels() -> None:
    text = made(found())
    assert "| skin light | 3 | +3.00 (" in text and "| skin dark | 0 | nothing can be said |" in text
    assert "no labels" in text
    told = made(found(), {"p0": {"glasses": "yes"}, "p1": {"glasses": "yes"}, "p2": {"glasses": "no"}})
    assert "| glasses: yes | 2 | +5.00 |" in told and "| glasses: no | 1 | -1.00 |" in told and "no labels" not in told


def test_likeness_that_was_not_measured_is_said() -> None:
    text = made(found())
    assert "likeness itself was not measured" in text and "| noise | 0.5 | 27.00 | 1.50 |" in text


def test_shift_is_relative_to_the_eyes() -> None:
    clean = np.zeros((2, 468, 2), np.float32)
    clean[:, 263, 0] = 50
    assert landmark_shift(clean + np.array([3, 4], np.float32), clean) == pytest.approx(10.0)


def test_traits_need_a_column_person(tmp_path: Path) -> None:
    path = tmp_path / "traits.csv"
    path.write_text("person,glasses,beard\np1,yes,\np2,no,full\n")
    assert read_traits(path) == {"p1": {"glasses": "yes"}, "p2": {"glasses": "no", "beard": "full"}}
    path.write_text("name,glasses\np1,yes\n")
    with pytest.raises(BadInput, match="no column person"):
        read_traits(path)


def test_a_wrong_file_is_said_in_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    other = tmp_path / "x.json"
    other.write_text(json.dumps({"bench": "latency"}))
    for path, reason in ((other, "not a file that bench quality"), (tmp_path / "none.json", "No such file")):
        assert main(["bench", "model", str(path), str(tmp_path / "model.md")]) == 2
        error = capsys.readouterr().err
        assert error.startswith("clearcall: ") and error.count("\n") == 1 and reason in error
