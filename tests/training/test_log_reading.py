"""What a training log says: the last run of a file, term by term."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.errors import BadInput
from training.log_reading import read_log

LINES = """06:02:37 training from step 0, 0.0 of 50 minutes; 3 files
06:02:58 step 59 minute 0.3 loss 99.000 (pixel 99.000) rate 3.53e-04 2.93 steps/s
06:12:37 training from step 0, 0.0 of 50 minutes; 3 files
06:12:58 step 59 minute 0.3 loss 40.500 (pixel 16.250 gradient 4.000) rate 3.53e-04 2.93 steps/s
06:13:18 step 122 minute 0.7 loss 38.000 (pixel 17.000 gradient 5.000) rate 6.89e-04 3.12 steps/s
06:13:20 dev noise 28.50 -> 36.25 (auto 36.00), low light 16.25 -> 34.75 (auto 24.50), clean 99.00 -> 99.00 (auto 76.50); spatial codes 11 % in use
06:13:20 dev more: noise (word 35.75 ssim 0.9125 psnr_face 35.5 exposure_free 36.25 sharpness 0.875 ewarp 0.125), low light (word 25.5 ssim 0.97 sharpness 0.9 ewarp 1.5e-05), clean (word 99.00 ssim 1 sharpness -0.25)
06:14:00 training from step 122, 0.7 of 60 minutes; 3 files
06:14:20 step 180 minute 1.0 loss 3.000 (prompt 3.000) rate 3.00e-06 14.45 steps/s
"""  # noqa: E501


def test_the_last_run_and_what_went_on_from_it(tmp_path: Path) -> None:
    (tmp_path / "train.log").write_text(LINES)
    log = read_log(tmp_path / "train.log")
    assert log.steps == 180
    assert log.losses == {
        "loss": [(0.3, 40.5), (0.7, 38.0), (1.0, 3.0)],
        "pixel": [(0.3, 16.25), (0.7, 17.0)],
        "gradient": [(0.3, 4.0), (0.7, 5.0)],
        "prompt": [(1.0, 3.0)],
    }
    assert log.before == {"noise": [(0.7, 28.5)], "low light": [(0.7, 16.25)], "clean": [(0.7, 99.0)]}
    assert log.after["low light"] == [(0.7, 34.75)] and log.auto["clean"] == [(0.7, 76.5)]
    assert log.more["word"] == {"noise": [(0.7, 35.75)], "low light": [(0.7, 25.5)], "clean": [(0.7, 99.0)]}
    assert log.more["psnr_face"] == {"noise": [(0.7, 35.5)]} and log.more["exposure_free"] == {"noise": [(0.7, 36.25)]}
    assert log.more["ewarp"] == {"noise": [(0.7, 0.125)], "low light": [(0.7, 1.5e-5)]}
    assert log.more["sharpness"]["clean"] == [(0.7, -0.25)]


def test_a_log_from_before_the_further_figures_is_read_as_ever(tmp_path: Path) -> None:
    (tmp_path / "train.log").write_text("\n".join(line for line in LINES.splitlines() if "dev more" not in line))
    log = read_log(tmp_path / "train.log")
    assert log.more == {} and log.auto["noise"] == [(0.7, 36.0)]


def test_a_log_without_training_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train.log").write_text("06:02:37 nothing to do\n")
    for name in ("train.log", "missing.log"):
        with pytest.raises(BadInput, match=name):
            read_log(tmp_path / name)
