"""The model's page: what it says comes from figures, and what was not measured is said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.model_page.command import failures, read_traits
from benchmarks.model_page.page import page
from benchmarks.model_page.strength import AtStrength, landmark_shift
from benchmarks.quality.bootstrap import Interval
from benchmarks.quality.store import picture_path
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


def strength(task: str, value: float, shift: float) -> AtStrength:
    return AtStrength(task, value, Interval(27.0, None, None, 1), Interval(shift, None, None, 1), None)


def made(
    content: dict[str, Any],
    traits: dict[str, dict[str, str]] | None = None,
    strengths: Sequence[AtStrength] = (strength("noise", 0.5, 1.5),),
    **more: str,
) -> str:
    training = {"minutes": 7, "attributions": ["Somebody, CC0"], **more}
    pictures = [("a.jpg", "noise, p2")]
    return page(content, training, strengths, traits or {}, pictures, ["Faces Inc."], "clearcall bench model")


def test_gains_are_over_the_input_of_the_same_clips() -> None:
    text = made(found())
    # +5, +5, -1: three on average.
    assert "| noise | 21.00 | 24.00 | +3.00 (" in text
    assert "Of 2 damaged clips, 1 came out further" in text
    assert "  - Somebody, CC0" in text and "![noise, p2](a.jpg)" in text and "Faces: Faces Inc." in text


def test_bars_are_on_the_page_whether_met_or_not() -> None:
    """Guards against: a page of gains over the input, which says nothing of what was asked for."""
    told = made(found(*rows("ffmpeg nlmeans", 26, 27, 28)))
    section = told[told.index("## Against the bars") : told.index("## People")]
    assert "| noise | better of nlmeans and nlmeans + hqdn3d, and 0.5 dB PSNR | whole crop | 27.50 | 24.00" in section
    assert "| no: -3.50" in section and "not measured" in section


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


def test_clean_clips_that_were_spoilt_are_failures() -> None:
    """Guards against: good video that comes out worse is in no count, since it has nothing to gain."""
    assert "clean clips" not in made(found())
    clean = [
        row | {"task": "clean", "figures": {"psnr": value}}
        for method, values in (("untouched", (99.0, 99.0, 99.0)), ("clearcall auto", (99.0, 41.0, 30.5)))
        for row, value in zip(rows(method, 0, 0, 0), values, strict=True)
    ]
    text = made(found(*clean))
    assert "Of 2 damaged clips, 1 came out further" in text
    assert "Of 3 clean clips, 2 came out below 42 dB; the worst has 30.50 dB left." in text


def test_the_worst_spoilt_clean_clip_is_pictured(tmp_path: Path) -> None:
    """Guards against: clean clips without a gain are passed over with those that have no figures at all."""
    psnr, runs = {"a": 43.0, "b": 20.0, "c": 30.0}, tmp_path / "runs"
    (runs / "run").mkdir(parents=True)
    every: list[Row] = []
    for name, left in psnr.items():
        about = {"name": name, "person": name, "task": "clean", "strength": "middle"}
        every += [{**about, "method": "untouched", "figures": {"psnr": 99.0}}]
        every += [{**about, "method": "clearcall auto", "figures": {"psnr": left}}]
        picture_path(runs / "run", f"key of {name}", "film").write_bytes(name.encode())
    films = [{"case": f"key of {n}", "task": "clean", "name": n, "gain": None} for n in psnr]
    content: dict[str, Any] = {"run": "run", "main": "clearcall auto", "rows": every, "films": films, "shown": []}
    taken = failures(content, runs, tmp_path / "model.md")
    assert [text for _, text in taken] == ["clean, b, 20.00 dB left; rows: "]
    assert (tmp_path / taken[0][0]).read_bytes() == b"b"
    better = [row | {"figures": {"psnr": max(50.0, row["figures"]["psnr"])}} for row in every]
    assert failures({**content, "rows": better}, runs, tmp_path / "model.md") == []


def test_the_run_that_figures_come_from_is_told() -> None:
    """Guards against: figures that nobody can measure again."""
    assert "Figures of `clearcall bench quality F --size 384`," in made(
        found() | {"command": "clearcall bench quality F --size 384"}
    )


def test_a_face_that_strength_brings_no_nearer_is_told() -> None:
    """Guards against: a table in which the one task that strength harms goes unnoticed."""
    falling = [strength("noise", 0.0, 1.1), strength("noise", 1.0, 0.6)]
    rising = [strength("bad call", 1.0, 1.97), strength("bad call", 0.0, 1.79), strength("bad call", 0.5, 1.2)]
    text = made(found(), strengths=[*falling, *rising])
    assert "Under bad call the shift does not fall with strength (1.79 % at 0, 1.97 % at 1)" in text
    assert "Under noise" not in text and "does not fall" not in made(found())


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
