"""The encoders' table: what is compared is the same frame, at the bitrate that was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import encoders
from benchmarks.encoders import Setting, luma, measure, open_run, settings, table
from engines.errors import BadInput, ClearcallError
from tests.stream.fakes import noise_frame
from tests.training.faces import write_clip

PLAIN = [Setting("vp8", "vp8", {}, in_use=True), Setting("x264", "h264", {})]


def test_each_setting_is_decoded_and_compared_with_its_own_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Guards against a decoder that hands frames out late: the clip moves, and its neighbours are another picture.
    monkeypatch.setattr(encoders, "settings", lambda: PLAIN)
    runs, missing = measure(write_clip(tmp_path / "p_clip.mp4", frames=24), 4_000_000, 24)
    assert not missing
    for run in runs:
        assert len(run.ms) == len(run.cpu_ms) == len(run.psnr) == 24 - encoders.WARM_UP
        assert min(run.psnr) > 30 and min(run.ssim) > 0.9
    lines = table(runs)
    assert len(lines) == 4 and lines[2].startswith("| **vp8** (in use) |") and lines[3].startswith("| x264 |")


def test_an_encoder_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = Setting("odd", "h264", {}, "none_such")
    with pytest.raises(ClearcallError, match="odd: "):
        open_run(odd, noise_frame(), 1_000_000)
    monkeypatch.setattr(encoders, "settings", lambda: [PLAIN[1], odd])
    runs, missing = measure(write_clip(tmp_path / "p_clip.mp4", frames=18), 1_000_000, 18)
    assert [run.setting.name for run in runs] == ["x264"] and len(missing) == 1


def test_a_film_that_is_none_or_too_short(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not a readable film"):
        measure(tmp_path / "none.mp4", 1_000_000, 20)
    with pytest.raises(BadInput, match="fewer than"):
        measure(write_clip(tmp_path / "p_clip.mp4", frames=3), 1_000_000, 20)


def test_a_copy_of_luma_leaves_padding_out() -> None:
    frame = noise_frame(50, 40)
    assert luma(frame).shape == (40, 50)


def test_one_setting_of_each_kind_is_in_use() -> None:
    assert sorted(s.kind for s in settings() if s.in_use) == ["h264", "vp8"]
