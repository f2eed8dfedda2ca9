"""Runs that end badly: the error was not one clear line, or a file stayed behind."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from engines.errors import ModelError
from stream.cli import main
from stream.files import command
from stream.files.job import Stop
from tests.stream.files.media import Brighten, clip, damaged, sound_only

Run = Callable[..., int]


def refused(capsys: pytest.CaptureFixture[str], folder: Path, before: list[str]) -> str:
    """The one line of the refusal; nothing may have been left behind."""
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert len(lines) == 1, captured.err
    assert lines[0].startswith("clearcall: ")
    assert sorted(os.listdir(folder)) == before
    return lines[0]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.mkdir(), "it is a folder"),
        (lambda path: path.write_text("no video\n" * 500), "is not a video"),
        (lambda path: path.write_bytes(b""), "is not a video"),
        (lambda path: path.write_bytes(clip(path).read_bytes()[:9000]), "is not a video, or damaged"),
        (sound_only, "holds sound but no video"),
        (lambda path: os.mkfifo(path), "not a file"),
    ],
    ids=["missing", "folder", "text", "empty", "truncated", "audio-only", "fifo"],
)
def test_wrong_input(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], object], words: str
) -> None:
    make(tmp_path / "a.mp4")
    there = sorted(os.listdir(tmp_path))
    assert run(tmp_path / "a.mp4", tmp_path / "b.mp4") == 2
    assert words in refused(capsys, tmp_path, there)


def test_zero_frames(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = damaged(clip(tmp_path / "whole.mkv", frames=3, audio=None), tmp_path / "a.mkv", {0, 1, 2})
    assert run(source, tmp_path / "b.mp4") == 2
    assert "no frame that can be decoded" in refused(capsys, tmp_path, ["a.mkv", "whole.mkv"])


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("a.mp4", "same file"),
        ("./a.mp4", "same file"),
        ("soft.mp4", "same file"),
        ("hard.mp4", "same file"),
        ("missing/b.mp4", "No such file"),
        ("text.mp4/b.mp4", "not a folder"),
        ("folder.mp4", "it is a folder"),
        ("b.avi", "must end in one of"),
        ("b", "must end in one of"),
        ("b.webm", "cannot hold the aac sound"),
    ],
)
def test_wrong_output(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], output: str, words: str) -> None:
    source = clip(tmp_path / "a.mp4")
    (tmp_path / "soft.mp4").symlink_to("a.mp4")
    os.link(source, tmp_path / "hard.mp4")
    (tmp_path / "text.mp4").write_text("text")
    (tmp_path / "folder.mp4").mkdir()
    there, content = sorted(os.listdir(tmp_path)), source.read_bytes()
    assert run(source, tmp_path / output) == 2
    assert words in refused(capsys, tmp_path, there)
    assert source.read_bytes() == content


def test_an_output_that_may_not_be_written(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = clip(tmp_path / "a.mp4")
    # Said by the system's own word: the user of the tests may be one who may everything.
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    assert run(source, tmp_path / "b.mp4") == 2
    assert "permission denied" in refused(capsys, tmp_path, ["a.mp4"])


def test_sound_that_only_the_muxer_refuses(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # QuickTime's list of codecs holds Opus, its header does not.
    source = clip(tmp_path / "a.mkv", audio="libopus")
    assert run(source, tmp_path / "b.mov") == 2
    assert ".mov cannot hold libx264" in refused(capsys, tmp_path, ["a.mkv"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--strength", "1.5"], "--strength must be a number from 0 to 1, not 1.5"),
        (["--strength", "nan"], "--strength must be a number from 0 to 1, not nan"),
        (["--lossless"], "ending in .mkv, not .mp4"),
    ],
)
def test_wrong_options(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    source = clip(tmp_path / "a.mp4")
    assert run(source, tmp_path / "b.mp4", *options) == 2
    assert words in refused(capsys, tmp_path, ["a.mp4"])


@pytest.mark.parametrize(
    ("options", "words"), [(["--model", "huge"], "lite"), (["--prompt", "make me young"], "noise")]
)
def test_unknown_names_list_the_known_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    source = clip(tmp_path / "a.mp4")
    assert main(["filter", str(source), str(tmp_path / "b.mp4"), *options]) == 2
    line = refused(capsys, tmp_path, ["a.mp4"])
    assert options[1] in line
    assert words in line


def test_a_damaged_model_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def damaged_model(*_: object) -> None:
        raise ModelError("model file lite.onnx is damaged")

    monkeypatch.setattr(command, "load_filter", damaged_model)
    source = clip(tmp_path / "a.mp4")
    assert main(["filter", str(source), str(tmp_path / "b.mp4")]) == 1
    assert "is damaged" in refused(capsys, tmp_path, ["a.mp4"])


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_in_the_middle_leaves_nothing(
    run: Run,
    stand_in: Brighten,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    number: int,
    status: int,
) -> None:
    source = clip(tmp_path / "a.mp4", frames=40)
    (tmp_path / "b.mp4").write_bytes(b"the old file")
    process = stand_in.process

    def interrupted(frame: av.VideoFrame) -> av.VideoFrame:
        if stand_in.frames == 20:
            assert len(os.listdir(tmp_path)) == 3
            os.kill(os.getpid(), number)
        return process(frame)

    monkeypatch.setattr(stand_in, "process", interrupted)
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    assert run(source, tmp_path / "b.mp4") == status
    refused(capsys, tmp_path, ["a.mp4", "b.mp4"])
    assert (tmp_path / "b.mp4").read_bytes() == b"the old file"
    assert stand_in.frames == 21
    assert stand_in.closed
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == handlers


def test_a_second_ctrl_c_does_not_wait_for_the_frame() -> None:
    with pytest.raises(KeyboardInterrupt), Stop():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_while_tidying_up_is_not_heard() -> None:
    with Stop() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            stop.check()
        os.kill(os.getpid(), signal.SIGINT)


def test_what_is_ignored_stays_ignored() -> None:
    # nohup ignores SIGHUP so that the run outlives its terminal.
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Stop():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_full_disk_is_one_line_and_leaves_nothing(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = clip(tmp_path / "a.mkv", codec="ffv1", frames=40)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))
    try:
        status = run(source, tmp_path / "b.mkv", "--lossless")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert status == 1
    assert "cannot write" in refused(capsys, tmp_path, ["a.mkv"])


def test_a_filter_that_fails_leaves_nothing(
    run: Run, stand_in: Brighten, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def failing(frame: av.VideoFrame) -> av.VideoFrame:
        raise RuntimeError("a fault in the filter")

    monkeypatch.setattr(stand_in, "process", failing)
    source = clip(tmp_path / "a.mp4")
    with pytest.raises(RuntimeError):
        run(source, tmp_path / "b.mp4")
    assert os.listdir(tmp_path) == ["a.mp4"]
