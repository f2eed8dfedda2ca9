"""Wrong options are said in one line, before anything starts."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from benchmarks.latency import command, options
from benchmarks.latency.clip import Shape
from benchmarks.latency.signalling import Target, read_target
from stream.cli import main


@pytest.mark.parametrize("kind", ["latency", "sessions"])
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--target", "127.0.0.1:8080"], "--target needs an address"),
        (["--target", "ftp://host/call"], "--target needs an address"),
        (["--whip", "http://host/whip"], "--whip and --whep together"),
        (["--target", "http://a", "--whip", "http://b", "--whep", "http://c"], "--whip and --whep together"),
        (["--pid", "-4"], "--pid"),
        (["--resolution", "100p"], "--resolution"),
        (["--resolution", "320x160"], "--resolution"),
        (["--resolution", "641x360"], "--resolution"),
        (["--resolution", "100x360"], "--resolution"),
        (["--fps", "0"], "--fps"),
        (["--codec", "av1"], "--codec must be one of vp8, h264"),
        (["--seconds", "0.5"], "--seconds"),
        (["--seconds", "nan"], "--seconds"),
        (["--warm-up", "-1"], "--warm-up"),
        (["--recording", "missing.mp4"], "no file missing.mp4"),
        (["--json", "missing/figures.json"], "missing"),
        (["--budget", "p95=soon"], "--budget"),
        (["--latency-budget", "soon"], "--latency-budget"),
        (["--precision", "int4"], "--precision"),
        (["--target", "http://h", "--precision", "int8"], "--precision is for a relay of our own"),
        (["--target", "http://h", "--latency-budget", "20ms"], "--latency-budget is for a relay of our own"),
    ],
)
def test_a_wrong_call(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str, words: list[str], reason: str
) -> None:
    (tmp_path / "film.mp4").touch()
    assert main(["bench", kind, "--recording", str(tmp_path / "film.mp4"), *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("clearcall: ") and error.count("\n") == 1 and reason in error


@pytest.mark.parametrize(
    ("kind", "words", "reason"),
    [
        ("latency", ["--repeat", "0"], "--repeat"),
        ("latency", ["--sessions", "0"], "--sessions"),
        ("latency", ["--html", "missing/page.html"], "--html"),
        ("latency", ["--off", "none", "--budget", "own_p50=5ms"], "needs --off"),
        ("sessions", ["--most", "1000"], "--most"),
        ("sessions", ["--budget", "own_p50=5ms"], "no own share"),
    ],
)
def test_a_wrong_call_of_one_kind(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str, words: list[str], reason: str
) -> None:
    (tmp_path / "film.mp4").touch()
    assert main(["bench", kind, "--recording", str(tmp_path / "film.mp4"), *words]) == 2
    assert reason in capsys.readouterr().err


def _read(tmp_path: Path, *words: str) -> options.Settings:
    (tmp_path / "film.mp4").touch()
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return options.read(parser.parse_args(["--recording", str(tmp_path / "film.mp4"), *words]))


def test_off_is_asked_for_only_where_it_may_be_understood(tmp_path: Path) -> None:
    # Guards against an own share of 0 of a relay that ignores the switch.
    foreign = ["--whip", "http://h/whip", "--whep", "http://h/whep"]
    assert _read(tmp_path, *foreign).off is None
    assert _read(tmp_path, *foreign, "--off", "filter=0").off == "filter=0"
    assert _read(tmp_path).off == _read(tmp_path, "--target", "http://h").off == options.OFF
    assert _read(tmp_path, "--off", "none").off is None


def test_a_relay_of_our_own_is_started_as_asked_for(tmp_path: Path) -> None:
    assert _read(tmp_path).relay_options == ["--model", "lite"]
    found = _read(tmp_path, "--latency-budget", "20ms", "--precision", "int8").relay_options
    assert found == ["--model", "lite", "--latency-budget", "20ms", "--precision", "int8"]


def test_a_file_that_is_no_video(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_text("no video")
    assert main(["bench", "latency", "--recording", str(tmp_path / "film.mp4")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "film.mp4" in error


def test_what_is_measured_and_for_how_long_is_said_before(tmp_path: Path) -> None:
    # Guards against a recording that nobody named, taken without a word.
    said = command.announcement(_read(tmp_path), 3)
    assert said == f"6 calls of 13 s with {tmp_path / 'film.mp4'}: about 95 s"
    assert command.announcement(_read(tmp_path, "--off", "none"), 1).startswith("1 call of 13 s")
    assert command.announcement(_read(tmp_path, "--seconds", "60"), 3).endswith("about 7 min")


def test_a_bare_address_means_its_call() -> None:
    assert read_target("http://127.0.0.1:8080", None, None, None) == Target("http://127.0.0.1:8080/call")
    assert read_target("https://host/a/call", None, None, "t") == Target("https://host/a/call", token="t")
    assert read_target(None, "http://h/whip/x", "http://h/whep/x", None) == Target(
        "", "http://h/whip/x", "http://h/whep/x"
    )
    assert read_target(None, None, None, None) is None


def test_shapes_by_their_usual_names() -> None:
    assert str(Shape(1280, 720, 30, "vp8")) == "720p30"
    assert str(Shape(854, 480, 15, "vp8")) == "480p15"
    assert str(Shape(640, 480, 30, "vp8")) == "640x480 at 30 fps"
