"""The page about a run: everything in it, from what the run left."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.generator.tiny import TINY
from tests.training.faces import write_stills
from tests.training.test_log_reading import LINES
from training import report
from training.plot import HEIGHT, SMALL
from training.report import main
from training.samples import SampleShape
from training.trainer import Trainer, TrainSettings


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "train.log").write_text(LINES)
    Trainer(TINY, TrainSettings()).store(folder / "last.pt", {"seed": 1, "attributions": ["CC0 <someone>"]})
    monkeypatch.setattr(report, "find_landmarks", lambda files, cache: {})
    monkeypatch.setattr(report, "SampleShape", lambda frames=3: SampleShape(frames=frames, canvas=96, crop=64))
    monkeypatch.setattr(report, "DEV_EDGE", 64)
    monkeypatch.setattr(report, "VIDEO_FRAMES", 4)
    return folder


def test_it_holds_curves_scores_faces_and_clips(run: Path, tmp_path: Path) -> None:
    faces, page = write_stills(tmp_path / "faces", 2), tmp_path / "page.html"
    assert main([str(run), str(page), "--dev", str(faces), "--faces", str(faces)]) == 0
    text = page.read_text()
    assert text.count("<svg") == 11 and "180 steps in 1 minutes" in text and "CC0 &lt;someone&gt;" in text
    assert "<td>16.25</td><td>34.75</td><td>24.50</td>" in text
    # A strip for each of seven tasks and a clean one, and the contact sheet.
    assert text.count("data:image/jpeg;base64,") == 9 and "low resolution: input" in text
    assert not re.findall(r'(?:src|href)=["\'](?!data:)', text)
    movie = re.search(r"data:video/mp4;base64,([^']+)", text)
    assert movie is not None
    with av.open(io.BytesIO(base64.b64decode(movie[1])), "r") as container:
        frames = list(container.decode(video=0))
    names = {path.name for path in tmp_path.glob("*.png")}
    assert len(names) == 11 + 8 and {"page-loss.png", "page-ewarp.png", "page-strip-low-light.png"} <= names
    # Input, restored twice, clean, 64 pixels each; and a small plot at twice its size.
    strip, plot = (cv2.imread(str(tmp_path / name)) for name in ("page-strip-clean.png", "page-ssim.png"))
    assert strip is not None and plot is not None
    assert strip.shape == (64, 4 * 64, 3) and np.array_equal(strip[:, :64], strip[:, 64:128])
    assert plot.shape == (2 * HEIGHT, 2 * SMALL, 3) and plot.min() < 128
    # Three clips of damaged and clean in a row, three rows, there and back three times.
    assert (frames[0].width, frames[0].height, len(frames)) == (3 * 128, 3 * 64, 18)


def test_the_log_alone_is_enough(run: Path, tmp_path: Path) -> None:
    (run / "last.pt").unlink()
    assert main([str(run), str(tmp_path / "page.html")]) == 0
    assert "data:" not in (tmp_path / "page.html").read_text()


def test_what_is_missing_is_said_in_one_line(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = str(tmp_path / "page.html")
    for options in ([str(tmp_path), page], [str(run), str(tmp_path / "none" / "page.html")],
                    [str(run), page, "--dev", str(tmp_path / "none")], [str(run), page, "--seed", "-1"]):  # fmt: skip
        assert main(options) == 2
        error = capsys.readouterr().err
        assert error.startswith("report: ") and error.count("\n") == 1
