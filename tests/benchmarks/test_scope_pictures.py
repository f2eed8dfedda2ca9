"""The pictures of both scopes: at the film's own size, and not the same thing three times."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.scope_pictures import TASKS, main
from engines.manifest import MODELS
from stream.face.models import find_models
from tests.training.faces import write_clip

pytestmark = pytest.mark.skipif(
    not any(MODELS.glob("lite-*.json")) or find_models() is None, reason="needs a model and the face models"
)


def test_one_for_each_damage_at_full_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = tmp_path / "p1_clip.mp4"
    write_clip(film, 288)
    assert main([str(tmp_path), "--film", str(film), "--prompt", "right", "--frames", "2"]) == 0
    paths = [tmp_path / f"whole-frame-{name}.jpg" for name in TASKS]
    assert capsys.readouterr().out.splitlines()[:-1] == [str(path) for path in paths]
    for path in paths:
        shown = cv2.imread(str(path))
        assert shown is not None and shown.shape == (3 * 288, 288, 3)
    # There is no face in it: scope face leaves it as it came, scope frame does not.
    noise = np.asarray(cv2.imread(str(paths[-1]))).astype(int)
    before, face, frame = (noise[i * 288 : i * 288 + 240] for i in range(3))
    assert np.abs(face - before).mean() < 1 < 2 < np.abs(frame - before).mean()


@pytest.mark.parametrize(("options", "words"), [(["--frames", "0"], "--frames"), (["--film", "none.mp4"], "none.mp4")])
def test_a_wrong_call_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert main([str(tmp_path), *options]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1 and not list(tmp_path.iterdir())
