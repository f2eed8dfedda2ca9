"""The measure of progress: deterministic, and harmless to a clean picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engines.errors import BadInput
from generator.model import Generator
from stream.face.regions import REGION_NAMES
from tests.generator.tiny import shaken, tiny_generator
from tests.training.faces import pattern, write_clip, write_stills
from training.degrade import TASKS, to_planes
from training.faces import Picture
from training.validate import dev_clips, restore, validate

CLIPS = [[pattern(1, 64)] * 4, [pattern(2, 64)] * 2]


@pytest.fixture(scope="module")
def generator() -> Generator:
    return shaken(tiny_generator())


def test_it_is_deterministic_and_covers_every_task(generator: Generator) -> None:
    first, second = validate(generator, CLIPS, None), validate(generator, CLIPS, None)
    assert first == second
    assert [s.task for s in first] == [*TASKS, "clean"]


def test_a_clean_picture_is_left_alone_under_the_empty_prompt(generator: Generator) -> None:
    clean = validate(generator, CLIPS, None)[-1]
    assert clean.before == clean.after == 99.0
    assert clean.auto < 99.0


def test_untrained_nothing_gets_better_or_worse() -> None:
    for score in validate(tiny_generator(), CLIPS, None):
        assert score.before == score.after == score.auto


def test_landmarks_are_looked_for_once_per_clip(generator: Generator) -> None:
    seen: list[Picture] = []

    def find(picture: Picture) -> np.ndarray:
        seen.append(picture)
        return np.random.default_rng(1).uniform(5, 60, (468, 2)).astype(np.float32)

    with_regions = validate(generator, CLIPS, find)
    assert len(seen) == 2
    assert with_regions != validate(generator, CLIPS, None)


def test_restoring_a_single_frame_works(generator: Generator) -> None:
    planes = to_planes([pattern(1, 64)])
    y, uv = restore(generator, planes, np.zeros((len(REGION_NAMES), 4, 4), np.float32), None)
    assert y.shape == planes[0].shape and uv.shape == planes[1].shape and y.dtype == np.uint8


def test_dev_clips_are_centre_squares(tmp_path: Path) -> None:
    write_stills(tmp_path, 3, 100)
    write_clip(tmp_path / "p9_clip.mp4", 128, frames=6)
    clips = dev_clips(tmp_path, 112)
    assert [(len(c), c[0].shape) for c in clips] == [(4, (96, 96, 3))] * 3 + [(4, (112, 112, 3))]
    assert np.array_equal(clips[0][0], pattern(0, 100)[2:98, 2:98])
    assert len(dev_clips(tmp_path, 112, limit=2)) == 2
    with pytest.raises(BadInput):
        dev_clips(tmp_path / "missing", 112)
