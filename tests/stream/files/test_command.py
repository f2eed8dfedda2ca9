"""The whole door: what should be kept differed between input and output, or a failed run left a file behind."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from engines.errors import ModelError
from stream.cli import main
from stream.files import command
from stream.files.job import Stop
from tests.media import CALL_VIDEO, needs_shared
from tests.stream.files.media import Brighten, Contents, clip, contents, damaged, planes, sound_only

Run = Callable[..., int]


def assert_same_way(before: Contents, after: Contents, tick: Fraction = Fraction(0)) -> None:
    """Everything but the picture itself is the same; times to within half a `tick` of the output."""
    assert len(after.times) == len(before.times)
    assert max(abs(a - b) for a, b in zip(after.times, before.times, strict=True)) <= tick / 2
    assert after.size == before.size
    assert after.pix_fmt == before.pix_fmt
    assert after.tags == before.tags
    assert after.rotation == before.rotation
    assert after.aspect == before.aspect
    assert [data for _, data in after.sound] == [data for _, data in before.sound]
    for (now, _), (then, _) in zip(after.sound, before.sound, strict=True):
        assert abs(now - then) <= tick / 2


MILLISECOND = Fraction(1, 1000)


@pytest.mark.parametrize(("name", "tick"), [("b.mp4", Fraction(0)), ("b.mov", Fraction(0)), ("b.mkv", MILLISECOND)])
def test_all_but_the_picture_is_kept(run: Run, tmp_path: Path, name: str, tick: Fraction) -> None:
    source = clip(
        tmp_path / "a.mp4",
        tags=(2, 1, 1, 1),
        rotation=90,
        aspect=Fraction(4, 3),
        rate=Fraction(30000, 1001),
        metadata={"title": "a call"},
    )
    assert run(source, tmp_path / name) == 0
    before, after = contents(source), contents(tmp_path / name)
    assert_same_way(before, after, tick)
    assert before.pix_fmt == "yuvj420p"
    assert after.codec == "h264"
    assert after.rate is not None
    assert abs(after.rate - Fraction(30000, 1001)) < Fraction(1, 100)
    assert after.metadata["title"] == "a call"
    assert sorted(os.listdir(tmp_path)) == ["a.mp4", name]


@pytest.mark.parametrize(("name", "tick"), [("b.mp4", Fraction(0)), ("b.mkv", MILLISECOND)])
def test_a_variable_rate_stays_variable(run: Run, tmp_path: Path, name: str, tick: Fraction) -> None:
    # Starts late as well: MP4's start is kept in another unit than its frames.
    times = [3003 + index * 3003 + (index % 5) * 700 for index in range(30)]
    source = clip(tmp_path / "a.mp4", frames=30, pts=times, time_base=Fraction(1, 90000))
    assert run(source, tmp_path / name) == 0
    assert_same_way(contents(source), contents(tmp_path / name), tick)


@pytest.mark.parametrize(
    ("pix_fmt", "codec", "name"),
    [
        ("yuv444p", "libx264", "a.mp4"),
        ("yuv422p", "libx264", "a.mkv"),
        ("yuv420p10le", "libx264", "a.mp4"),
        ("yuv420p10le", "libx265", "a.mp4"),
        ("yuv420p", "libvpx", "a.webm"),
        ("yuv420p", "libvpx-vp9", "a.webm"),
        ("yuv444p", "libvpx-vp9", "a.webm"),
    ],
)
def test_codec_family_and_pixel_format_are_kept(run: Run, tmp_path: Path, pix_fmt: str, codec: str, name: str) -> None:
    quiet = {"x265-params": "log-level=error"} if codec == "libx265" else {}
    sound = "libopus" if name.endswith("webm") else "aac"
    source = clip(tmp_path / name, pix_fmt=pix_fmt, codec=codec, audio=sound, options=quiet)
    output = tmp_path / f"b{source.suffix}"
    assert run(source, output) == 0
    before, after = contents(source), contents(output)
    assert_same_way(before, after)
    assert after.codec == before.codec
    assert after.rate == before.rate


@pytest.mark.parametrize("name", ["b.mp4", "b.mkv", "b.webm"])
def test_odd_sizes(run: Run, tmp_path: Path, name: str) -> None:
    source = clip(tmp_path / "a.webm", codec="libvpx-vp9", size=(321, 241), frames=4, audio="libopus")
    assert run(source, tmp_path / name) == 0
    after = contents(tmp_path / name)
    assert after.size == (321, 241)
    assert len(after.times) == 4


@pytest.mark.parametrize("size", [(64, 48), (61, 47)])
def test_lossless_keeps_every_bit(run: Run, tmp_path: Path, size: tuple[int, int]) -> None:
    source = clip(tmp_path / "a.mkv", codec="ffv1", size=size, tags=(1, 1, 1, 1), audio="libopus")
    assert run(source, tmp_path / "b.mkv", "--lossless") == 0
    before, after = contents(source), contents(tmp_path / "b.mkv")
    assert_same_way(before, after)
    assert after.codec == "ffv1"
    for old, new in zip(before.pictures, after.pictures, strict=True):
        expected = old[0].copy()
        expected[: size[1] // 2, : size[0] // 2] += 8
        assert np.array_equal(new[0], expected)
        assert np.array_equal(new[1], old[1])
        assert np.array_equal(new[2], old[2])


def test_compare_shows_before_and_after(run: Run, tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mkv", codec="ffv1", size=(61, 47), frames=3)
    assert run(source, tmp_path / "b.mkv", "--lossless", "--compare") == 0
    before, after = contents(source), contents(tmp_path / "b.mkv")
    assert after.size == (124, 47)
    assert after.times == before.times
    for old, new in zip(before.pictures, after.pictures, strict=True):
        assert np.array_equal(new[0][:, :61], old[0])
        assert np.array_equal(new[0][:23, 62:92], old[0][:23, :30] + np.uint8(8))


def test_one_frame_is_a_video(run: Run, tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", frames=1, audio=None)
    assert run(source, tmp_path / "b.mp4") == 0
    assert len(contents(tmp_path / "b.mp4").times) == 1


def test_damage_is_passed_over_and_reported(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = damaged(clip(tmp_path / "whole.mkv", audio=None), tmp_path / "a.mkv", {7, 8})
    assert run(source, tmp_path / "b.mkv") == 0
    assert len(contents(tmp_path / "b.mkv").times) == 18
    assert "a.mkv is damaged: 2 packets could not be decoded" in capsys.readouterr().err


def test_figures_at_the_end(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], stand_in: Brighten) -> None:
    source = clip(tmp_path / "a.mp4")
    assert run(source, tmp_path / "b.mp4") == 0
    text = capsys.readouterr().err
    assert [line.split()[0] for line in text.splitlines()] == ["stage", "decode", "filter", "track", "encode", "20"]
    assert "fps, 20 changed; passed on as they were: engine 2" in text
    assert stand_in.closed


def test_quiet(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(clip(tmp_path / "a.mp4"), tmp_path / "b.mp4", "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_an_older_output_is_replaced_and_a_link_followed(run: Run, tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4")
    (tmp_path / "old.mp4").write_bytes(b"old")
    (tmp_path / "link.mp4").symlink_to("old.mp4")
    assert run(source, tmp_path / "link.mp4") == 0
    assert (tmp_path / "link.mp4").is_symlink()
    assert len(contents(tmp_path / "old.mp4").times) == 20


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
        (["--strength", "1.5"], "between 0 and 1, not 1.5"),
        (["--strength", "nan"], "between 0 and 1, not nan"),
        (["--scope", "frame"], "--scope frame is not there yet"),
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


def test_threads_leave_half_the_cores_to_decoder_and_encoder() -> None:
    assert [command.threads_for(cores) for cores in (1, 2, 4, 64)] == [1, 1, 2, 4]


@needs_shared
@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_lossless_writes_what_the_real_filter_gave_bit_for_bit(tmp_path: Path, strength: float) -> None:
    short = tmp_path / "a.mp4"
    with av.open(str(CALL_VIDEO)) as old, av.open(str(short), "w") as new:
        video = old.streams.video[0]
        copy = new.add_stream_from_template(video, opaque=True)
        for number, packet in enumerate(old.demux(video)):
            if number == 12:
                break
            packet.stream = copy
            new.mux(packet)
    options = ["--lossless", "--strength", str(strength), "--quiet"]
    assert main(["filter", str(short), str(tmp_path / "b.mkv"), *options]) == 0
    before, after = contents(short), contents(tmp_path / "b.mkv")
    with av.open(str(short)) as container:
        own = command.load_filter("lite", "auto", strength)
        expected = [planes(own.process(frame)) for frame in container.decode(video=0)]
        own.close()
    assert len(after.pictures) == len(expected) > 8
    if strength == 0.0:
        expected = before.pictures
    for wanted, written in zip(expected, after.pictures, strict=True):
        assert all(np.array_equal(one, other) for one, other in zip(wanted, written, strict=True))
