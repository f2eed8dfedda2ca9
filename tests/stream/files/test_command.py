"""The whole door, with a stand-in for the filter: what should be kept differed between input and output."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from stream.cli import main
from stream.files import command
from stream.scope import Scope
from tests.stream.files.media import Brighten, Contents, bottom_up, clip, contents, damaged

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


def test_an_avi_stored_from_the_bottom_up_is_compared_and_kept(run: Run, tmp_path: Path) -> None:
    # Guards against negative line sizes: with --compare such a file was a ValueError.
    source = bottom_up(tmp_path / "a.avi")
    assert run(source, tmp_path / "b.mkv", "--lossless", "--compare") == 0
    before, after = contents(source), contents(tmp_path / "b.mkv")
    assert after.size == (128, 48) and len(after.pictures) == 3
    for old, both in zip(before.pictures, after.pictures, strict=True):
        pixels = both[0].reshape(48, 128, -1)[..., :3]
        shown = old[0].reshape(48, 64, 3)
        assert np.array_equal(pixels[:, :64], shown)
        assert np.array_equal(pixels[24:, 64:], shown[24:])
        assert not np.array_equal(pixels[:24, 64:], shown[:24])


@pytest.mark.parametrize(("rotation", "before_first"), [(90, True), (-90, False)])
def test_compare_is_side_by_side_as_it_is_shown(
    run: Run, tmp_path: Path, rotation: int, before_first: bool
) -> None:
    # A portrait stored on its side: what is shown side by side is stored one above the other.
    source = clip(tmp_path / "a.mkv", codec="ffv1", frames=2, rotation=rotation)
    assert run(source, tmp_path / "b.mkv", "--lossless", "--compare") == 0
    before, after = contents(source), contents(tmp_path / "b.mkv")
    assert (after.size, after.rotation) == ((64, 96), rotation)
    for old, both in zip(before.pictures, after.pictures, strict=True):
        halves = np.split(both[0], 2)
        assert np.array_equal(halves[0 if before_first else 1], old[0])
        assert not np.array_equal(halves[1 if before_first else 0], old[0])


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


@pytest.mark.parametrize(
    ("options", "model"),
    [
        ([], "lite"),
        (["--steps", "1"], "lite"),
        (["--steps", "4"], "lite-4step"),
        (["--steps", "8", "--invert"], "lite-8step-inverted"),
    ],
)
def test_steps_choose_the_graphs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: list[str], model: str
) -> None:
    asked = []

    def load(name: str, *_: object) -> Brighten:
        asked.append(name)
        return Brighten()

    monkeypatch.setattr(command, "load_filter", load)
    assert main(["filter", str(clip(tmp_path / "a.mp4")), str(tmp_path / "b.mp4"), *options]) == 0
    assert asked == [model]


@pytest.mark.parametrize(("options", "word"), [(["--steps", "3"], "--steps"), (["--invert"], "--invert needs --steps")])
def test_other_numbers_of_steps_are_refused(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], word: str
) -> None:
    assert run(clip(tmp_path / "a.mp4"), tmp_path / "b.mp4", *options) == 2
    error = capsys.readouterr().err
    assert word in error and error.count("\n") == 1 and not (tmp_path / "b.mp4").exists()


@pytest.mark.parametrize(
    ("options", "whole", "why"),
    [
        ([], True, "a file has time (--fast, the face alone, is quicker)"),
        (["--scope", "auto"], True, "a file has time"),
        (["--fast"], False, "because of --fast"),
        (["--scope", "auto", "--fast"], False, "because of --fast"),
        (["--scope", "face"], False, "because of --scope"),
        (["--scope", "face", "--fast"], False, "because of --scope"),
        (["--scope", "frame"], True, "as asked for"),
    ],
)
def test_a_file_is_restored_whole_unless_it_has_to_be_fast(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], whole: bool, why: str
) -> None:
    # Guards against a file whose room stays noisy because there is no GPU.
    asked: list[Scope] = []

    def load(*arguments: object) -> Brighten:
        scope = arguments[4]
        assert isinstance(scope, Scope)
        asked.append(scope)
        return Brighten()

    monkeypatch.setattr(command, "load_filter", load)
    assert run(clip(tmp_path / "a.mp4"), tmp_path / "b.mp4", *options) == 0
    assert asked[0].whole == whole and why in asked[0].why


def test_fast_and_the_whole_frame_contradict_each_other(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(clip(tmp_path / "a.mp4"), tmp_path / "b.mp4", "--scope", "frame", "--fast") == 2
    error = capsys.readouterr().err
    assert "--fast" in error and "--scope frame" in error and error.count("\n") == 1
    assert not (tmp_path / "b.mp4").exists()
