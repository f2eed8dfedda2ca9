"""`clearcall bench quality` as it is called: wrong calls, and a small run that is taken up again."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from benchmarks.quality import command, options
from benchmarks.quality.run import Job
from benchmarks.quality.store import Store
from engines.manifest import MODELS, read_family
from stream.cli import main
from stream.face.models import find_models
from tests.media import SHARED, needs_shared
from tests.training.faces import write_clip, write_stills


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--task", "mist"], "--task: mist is not one of noise, compression"),
        (["--task", ","], "--task"),
        (["--prompt", "left"], "--prompt"),
        (["--strength", "10"], "--strength"),
        (["--run", "all"], "--run"),
        (["--scope", "auto"], "--scope: auto is not one of face, frame"),
        (["--frames", "1"], "--frames"),
        (["--size", "300"], "--size"),
        (["--limit", "0"], "--limit"),
        (["--minutes", "-1"], "--minutes"),
        (["--peer", "x"], "--peer"),
        (["--peer", "x=missing.onnx"], "missing.onnx: no such file"),
        (["--identity", "missing.onnx"], "missing.onnx: no such file"),
        (["--metrics", "vmaf"], "--metrics"),
        (["--degraded", "."], "--degraded and --clean"),
        (["--real", ".", "--degraded", ".", "--clean", "."], "exclude"),
        (["--json", "missing/x.json"], "missing"),
        (["--against", "missing.json"], "missing.json"),
        (["--model", "large"], "unknown model 'large'"),
        (["missing folder"], "missing folder: not a folder"),
    ],
)
def test_a_wrong_call_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, options: list[str], reason: str
) -> None:
    if not any(MODELS.glob("lite-*.json")) or find_models() is None:
        pytest.skip("needs a model and the face models")
    assert main(["bench", "quality", "--out", str(tmp_path), *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith("clearcall: ") and error.count("\n") == 1 and reason in error


@needs_shared
def test_both_scopes_are_set_against_each_other(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    call = ["bench", "quality", str(SHARED / "call"), "--size", "whole", "--scope", "frame,face", "--frames", "2"]
    call += ["--task", "rain", "--prompt", "right", "--peers", "none", "--run", "pipeline"]
    call += ["--out", str(tmp_path / "runs")]
    out, page = tmp_path / "run.json", tmp_path / "run.html"
    assert main([*call, "--json", str(out), "--html", str(page)]) == 0
    assert "2 frames a clip, whole;" in page.read_text()
    found = {row["method"]: row for row in json.loads(out.read_text())["rows"]}
    face, frame = found["clearcall right"], found["clearcall right, frame"]
    # Guards against a whole frame of which but a square was looked at: there the two are the same.
    assert frame["figures"]["psnr"] > face["figures"]["psnr"] + 1
    assert abs(frame["figures"]["psnr_face"] - face["figures"]["psnr_face"]) < 0.2
    assert "tiles" in frame["stages"] and "tiles" not in face["stages"]
    shown = capsys.readouterr().out
    psnr = (f"{found[name]['figures']['psnr']:.2f} (" for name in ("untouched", *found) if "clean" not in name)
    assert "| task | input | face | frame |" in shown and all(figure in shown for figure in psnr)


@needs_shared
def test_a_run_of_two_people_is_reported_kept_and_gated(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert read_family("lite")
    dev, out, page = SHARED / "dev", tmp_path / "run.json", tmp_path / "run.html"
    call = ["bench", "quality", str(dev), "--limit", "2", "--size", "256", "--frames", "3", "--task", "noise,clean"]
    call += ["--peers", "none", "--run", "generator", "--out", str(tmp_path / "runs")]
    assert main([*call, "--minutes", "0.01", "--json", str(out)]) == 0
    assert main([*call, "--json", str(out), "--html", str(page)]) == 0
    shown = capsys.readouterr().out
    assert "noise: 2 clips of 2 people" in shown and "generator right" in shown
    found = json.loads(out.read_text())
    assert found["done"] == found["planned"] == 4
    noise = found["summary"]["noise"]
    assert noise["generator right"]["gain"]["psnr"]["mean"] > 1
    assert noise["clean itself"]["figures"]["psnr"]["mean"] == 99
    assert found["summary"]["clean"]["generator right"]["figures"]["psnr"]["mean"] == 99
    text = page.read_text()
    assert not re.search(r'(src|href)="(?!data:)|url\(|@import', text) and text.count("data:image/jpeg") >= 4
    assert text.count('aria-label="flicker"') == 2
    # The same again is read from what was kept: not one figure, nor a time, is another.
    assert main([*call, "--json", str(out), "--against", str(out)]) == 0
    assert json.loads(out.read_text())["rows"] == found["rows"]
    # Two people have no interval.
    said = capsys.readouterr().out
    assert "not judged" in said and "no loss" not in said


def test_a_loss_ends_with_1_and_nothing_to_compare_with_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Guards against: a loss that is printed, and an exit status that tells a script that all is well."""
    if not any(MODELS.glob("lite-*.json")) or find_models() is None:
        pytest.skip("needs a model and the face models")
    folder, before = write_stills(tmp_path / "patterns", 3), tmp_path / "before.json"
    call = ["bench", "quality", str(folder), "--task", "noise", "--frames", "2", "--prompt", "right"]
    call += ["--run", "generator", "--peers", "none", "--out", str(tmp_path / "runs")]
    assert main([*call, "--json", str(before)]) == 0
    stored = json.loads(before.read_text())
    assert main([*call, "--against", str(before)]) == 0
    assert "no loss" in capsys.readouterr().out
    better = tmp_path / "better.json"
    for row in stored["rows"]:
        row["figures"]["psnr"] += 1
    better.write_text(json.dumps(stored))
    now, page = tmp_path / "now.json", tmp_path / "now.html"
    assert main([*call, "--against", str(better), "--json", str(now), "--html", str(page)]) == 1
    assert "lost: noise, generator right: PSNR worse by 1.0000" in capsys.readouterr().out
    assert len(json.loads(now.read_text())["lost"]) == 1 and "lost: noise" in page.read_text()
    for row in stored["rows"]:
        row["task"] = "rain"
    better.write_text(json.dumps(stored))
    assert main([*call, "--against", str(better)]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("clearcall: --against") and "in common" in error


def test_a_file_that_is_too_small_is_left_out_with_a_word(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Guards against: one thumbnail in a folder ends a run of hours."""
    if not any(MODELS.glob("lite-*.json")) or find_models() is None:
        pytest.skip("needs a model and the face models")
    folder, out = write_stills(tmp_path / "mixed", 1), tmp_path / "run.json"
    write_clip(folder / "q_small.mp4", 128)
    (folder / "q_broken.png").write_bytes(b"no picture")
    call = ["bench", "quality", "--task", "noise", "--frames", "2", "--prompt", "right", "--peers", "none"]
    call += ["--run", "generator", "--out", str(tmp_path / "runs")]
    assert main([*call, str(folder), "--json", str(out)]) == 0
    said = capsys.readouterr().err.splitlines()
    assert any("left out" in line and "q_small.mp4: smaller than 256" in line for line in said)
    assert any("left out" in line and "q_broken.png: not a readable picture" in line for line in said)
    assert {row["name"] for row in json.loads(out.read_text())["rows"]} == {"p0_still"}
    small = write_stills(tmp_path / "small", 2, 128)
    assert main([*call, str(small)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("clearcall: ") and error.count("\n") == 1
    assert "smaller than 256 pixels, and 1 more" in error


def test_a_folder_without_faces_in_it_has_no_figures_of_faces(tmp_path: Path) -> None:
    if not any(MODELS.glob("lite-*.json")) or find_models() is None:
        pytest.skip("needs a model and the face models")
    folder, out = write_stills(tmp_path / "patterns", 1), tmp_path / "run.json"
    call = ["bench", "quality", str(folder), "--task", "noise", "--frames", "2", "--prompt", "auto"]
    assert main([*call, "--peers", "none", "--out", str(tmp_path / "runs"), "--json", str(out)]) == 0
    rows = {row["method"]: row["figures"] for row in json.loads(out.read_text())["rows"]}
    assert rows["clearcall auto"]["restored"] == 0
    figures = rows["untouched"]
    assert "psnr" in figures and "psnr_face" not in figures and "tlme" not in figures


def test_what_is_judged_and_for_how_long_is_said_before(tmp_path: Path) -> None:
    # Guards against a folder that nobody named, and a run of more than an hour, taken without a word.
    parser = argparse.ArgumentParser()
    options.add_arguments(parser)
    job = SimpleNamespace(cases=[SimpleNamespace(key=str(number)) for number in range(310)])

    def said(done: set[str], *words: str) -> str:
        wanted = options.read(parser.parse_args([str(tmp_path), *words]))
        return command.announcement(wanted, cast(Job, job), cast(Store, done))

    assert said(set()).startswith(f"{tmp_path}: 310 of 310 cases to be judged, about 74 min; --limit")
    assert ", for 10 min at most;" in said(set(), "--minutes", "10")
    assert said({str(number) for number in range(310)}).endswith(": 0 of 310 cases to be judged")
