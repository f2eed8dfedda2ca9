"""The command with the real filter on a piece of the recording: it must change the face and nothing else."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.manifest import MODELS
from stream import models
from stream.cli import main
from stream.files.command import load_filter
from stream.files.upright import turn
from stream.scope import of_file
from tests.media import CALL_LANDMARKS, CALL_VIDEO, needs_shared
from tests.stream.files.media import clip, contents, planes

pytestmark = needs_shared

SIZE = (640, 360)
"""Half the recording's: quicker, and the face is still 150 px large."""
FRAMES = 5
NOISY = ["--prompt", "noise:0.9"]


@pytest.fixture(scope="module")
def pictures() -> list[av.VideoFrame]:
    """The recording's first frames."""
    with av.open(str(CALL_VIDEO)) as container:
        return [frame.reformat(*SIZE, format="rgb24") for frame in islice(container.decode(video=0), FRAMES)]


def run(source: Path, output: Path, *options: str) -> None:
    """Filter the face as a user would."""
    assert main(["filter", str(source), str(output), "--quiet", "--fast", *options]) == 0


def decoded(path: Path, pix_fmt: str) -> list[av.VideoFrame]:
    """All frames, in that pixel format."""
    with av.open(str(path)) as container:
        return [frame.reformat(format=pix_fmt) for frame in container.decode(video=0)]


def from_the_face(index: int, rows: int, columns: int) -> NDArray[np.float64]:
    """How far each sample of a plane is from the middle of the face in that frame, in face sizes."""
    points = np.load(CALL_LANDMARKS)["landmarks"][index] / (1280, 720)
    low, high = points.min(0), points.max(0)
    middle, size = (low + high) / 2, float(((high - low) * SIZE).max())
    y, x = np.mgrid[:rows, :columns]
    across, down = abs(x / columns - middle[0]) * SIZE[0], abs(y / rows - middle[1]) * SIZE[1]
    return np.asarray(np.maximum(across, down) / size)


def assert_only_the_face_changed(before: list[av.VideoFrame], after: list[av.VideoFrame], turns: int = 0) -> None:
    """`turns` are the counterclockwise quarter turns that make the frames upright."""
    assert len(after) == len(before)
    for index, (one, other) in enumerate(zip(before, after, strict=True)):
        for number, (old, new, plane) in enumerate(zip(planes(one), planes(other), one.planes, strict=True)):
            # The fourth byte of bgr0 is padding.
            changed = (old != new).reshape(plane.height, plane.width, -1)[:, :, :3].any(axis=2)
            changed = np.rot90(changed, turns)
            distance = from_the_face(index, *changed.shape)
            assert not changed[distance > 1.2].any(), f"plane {number} of frame {index} changed far from the face"
            if number == 0:
                assert changed[distance < 0.3].mean() > 0.3, f"the face of frame {index} is as it was"


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "kept_as"),
    [
        ("a.mp4", "libx264", "yuv420p", "yuv420p"),
        ("a.mp4", "libx264", "yuv420p10le", "yuv420p10le"),
        ("a.mp4", "libx264", "yuv444p", "yuv444p"),
        ("a.avi", "rawvideo", "nv12", "yuv420p"),
        ("a.avi", "rawvideo", "yuyv422", "yuv422p"),
        ("a.avi", "mjpeg", "yuvj422p", "yuv422p"),
        ("a.mov", "png", "rgb24", "bgr0"),
        ("a.mkv", "ffv1", "gray", "gray"),
    ],
)
def test_lossless_keeps_every_bit_but_those_of_the_face(
    pictures: list[av.VideoFrame], tmp_path: Path, name: str, codec: str, pix_fmt: str, kept_as: str
) -> None:
    source = clip(tmp_path / name, pictures=pictures, codec=codec, pix_fmt=pix_fmt, audio=None)
    run(source, tmp_path / "b.mkv", "--lossless", *NOISY)
    before, after = contents(source), contents(tmp_path / "b.mkv")
    assert (after.codec, after.pix_fmt, after.size) == ("ffv1", kept_as, SIZE)
    assert after.tags[0] == before.tags[0]
    # What is full range must be read as such, or it would be squeezed here.
    formats = (before.pix_fmt, kept_as) if pix_fmt.startswith("yuvj") else (kept_as, kept_as)
    assert_only_the_face_changed(decoded(source, str(formats[0])), decoded(tmp_path / "b.mkv", formats[1]))


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_lossless_writes_what_the_filter_gave_bit_for_bit(
    pictures: list[av.VideoFrame], tmp_path: Path, strength: float
) -> None:
    source = clip(tmp_path / "a.mp4", pictures=pictures, audio=None)
    run(source, tmp_path / "b.mkv", "--lossless", "--strength", str(strength))
    before, after = contents(source), contents(tmp_path / "b.mkv")
    own = load_filter("lite", "auto", strength, scope=of_file("face", fast=True))
    expected = [planes(own.process(frame)) for frame in decoded(source, "yuv420p")]
    own.close()
    for wanted, written in zip(before.pictures if strength == 0.0 else expected, after.pictures, strict=True):
        assert all(np.array_equal(one, other) for one, other in zip(wanted, written, strict=True))


def test_an_odd_size(pictures: list[av.VideoFrame], tmp_path: Path) -> None:
    odd = [frame.reformat(639, 359) for frame in pictures]
    source = clip(tmp_path / "a.webm", pictures=odd, codec="libvpx-vp9", audio=None)
    run(source, tmp_path / "b.mkv", "--lossless", *NOISY)
    assert contents(tmp_path / "b.mkv").size == (639, 359)
    assert_only_the_face_changed(decoded(source, "yuv420p"), decoded(tmp_path / "b.mkv", "yuv420p"))


@pytest.mark.parametrize(("rotation", "quarters"), [(90, 1), (180, 2), (-90, 3)])
def test_a_picture_stored_on_its_side_is_restored_upright(
    pictures: list[av.VideoFrame], tmp_path: Path, rotation: int, quarters: int
) -> None:
    # Phones store portraits so. The filter saw a face lying on its side.
    lying = [turned for frame in pictures if (turned := turn(frame, 4 - quarters))]
    upright = clip(tmp_path / "upright.mkv", pictures=pictures, pix_fmt="yuv444p", codec="ffv1", audio=None)
    source = clip(
        tmp_path / "a.mkv", pictures=lying, pix_fmt="yuv444p", codec="ffv1", rotation=rotation, audio=None
    )
    run(source, tmp_path / "b.mkv", "--lossless", *NOISY)
    run(upright, tmp_path / "wanted.mkv", "--lossless", *NOISY)
    before, after = contents(source), contents(tmp_path / "b.mkv")
    assert (after.rotation, after.size, after.times) == (before.rotation, before.size, before.times)
    assert_only_the_face_changed(decoded(source, "yuv444p"), decoded(tmp_path / "b.mkv", "yuv444p"), quarters)
    for wanted, written in zip(contents(tmp_path / "wanted.mkv").pictures, after.pictures, strict=True):
        assert all(np.array_equal(one, np.rot90(other, quarters)) for one, other in zip(wanted, written, strict=True))


def test_compare_has_the_untouched_picture_on_the_left(pictures: list[av.VideoFrame], tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", pictures=pictures, audio=None)
    run(source, tmp_path / "both.mkv", "--lossless", "--compare", *NOISY)
    run(source, tmp_path / "after.mkv", "--lossless", *NOISY)
    both, before, after = (contents(path).pictures for path in (tmp_path / "both.mkv", source, tmp_path / "after.mkv"))
    for whole, left, right in zip(both, before, after, strict=True):
        for plane, one, other in zip(whole, left, right, strict=True):
            assert np.array_equal(plane, np.hstack([one, other]))


@pytest.mark.parametrize("prompt", ["auto", "none", "noise", "Low_Light + blur:0.5, compression"])
def test_any_known_prompt_will_do(pictures: list[av.VideoFrame], tmp_path: Path, prompt: str) -> None:
    source = clip(tmp_path / "a.mp4", pictures=pictures[:2], audio=None)
    run(source, tmp_path / "b.mp4", "--prompt", prompt)
    assert len(contents(tmp_path / "b.mp4").times) == 2


def test_uneven_times_and_sound_come_through(pictures: list[av.VideoFrame], tmp_path: Path) -> None:
    times = [0, 3003, 7000, 9000, 20000]
    source = clip(tmp_path / "a.mp4", pictures=pictures, pts=times, time_base=Fraction(1, 90000))
    run(source, tmp_path / "b.mp4", *NOISY)
    before, after = contents(source), contents(tmp_path / "b.mp4")
    assert after.times == before.times
    assert after.sound == before.sound and after.sound


def _cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _one_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("pattern", "damage", "words"),
    [
        ("lite-???.onnx", _cut_short, "is damaged"),
        ("lite.data", _one_bit, "is damaged"),
        ("lite.data", Path.unlink, "cannot be read"),
        ("lite-???.json", _cut_short, "is damaged"),
    ],
)
def test_a_damaged_model_is_a_failure_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    pattern: str,
    damage: Callable[[Path], None],
    words: str,
) -> None:
    folder = tmp_path / "models"
    shutil.copytree(MODELS, folder)
    damage(next(folder.glob(pattern)))
    monkeypatch.setattr(models, "open_model", partial(models.open_model, folder=folder))
    source = clip(tmp_path / "a.mp4", frames=3, audio=None)
    assert main(["filter", str(source), str(tmp_path / "b.mp4")]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith("clearcall: model ") and words in said
    assert sorted(os.listdir(tmp_path)) == ["a.mp4", "models"]


def test_the_whole_frame_is_restored_unless_it_is_to_be_fast(
    pictures: list[av.VideoFrame], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Guards against a default that leaves what is far from the face as it was.
    source = clip(tmp_path / "a.mkv", pictures=pictures[:2], pix_fmt="yuv420p", codec="ffv1", audio=None)
    assert main(["filter", str(source), str(tmp_path / "b.mkv"), "--lossless", "--prompt", "rain:0.6"]) == 0
    before, after = decoded(source, "yuv420p"), decoded(tmp_path / "b.mkv", "yuv420p")
    for index, (one, other) in enumerate(zip(before, after, strict=True)):
        luma = planes(one)[0] != planes(other)[0]
        far = from_the_face(index, *SIZE[::-1]) > 1.2
        assert luma.reshape(SIZE[::-1])[far].mean() > 0.1
    told = capsys.readouterr().err.splitlines()[0]
    assert told.startswith("clearcall: scope frame, because a file has time (--fast") and "engine onnxruntime" in told


@pytest.mark.parametrize(("name", "options"), [("b.mp4", ["--fast"]), ("b.mkv", ["--scope", "frame", "--lossless"])])
def test_ctrl_c_leaves_nothing(tmp_path: Path, name: str, options: list[str]) -> None:
    command = [sys.executable, "-m", "stream.cli", "filter", str(CALL_VIDEO), str(tmp_path / name), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            end = time.monotonic() + 60
            # Some bytes in the unfinished file: it is at its frames.
            while not any(path.stat().st_size > 100_000 for path in tmp_path.iterdir()):
                assert process.poll() is None and time.monotonic() < end
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
            assert process.stderr is not None
            assert process.stderr.read().splitlines()[-1] == "clearcall: interrupted"
        finally:
            process.kill()
    assert os.listdir(tmp_path) == []
