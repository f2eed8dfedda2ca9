"""The measure of progress: deterministic, harmless to a clean picture, and what it says is so."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from generator.model import Frame, Generator
from stream.face.regions import REGION_NAMES
from stream.prompt import LEAST, SMOOTHING
from tests.generator.tiny import shaken, tiny_generator
from tests.training.face_landmarks import canonical
from tests.training.faces import pattern
from training import validate as validation
from training.degrade import TASKS, Degradation, Planar, to_planes
from training.dev_clips import DevClip
from training.faces import Picture
from training.measures import Mask, face_masks
from training.validate import averages_of_a_call, restore, validate, word_prompts

STILL = pattern(1, 96)
# To the left by two pixels a frame, and one clip of which nobody knows how it moves.
CLIPS = [
    DevClip(
        [np.ascontiguousarray(STILL[:64, 2 * i : 2 * i + 64]) for i in range(4)],
        np.array([[-2 * i, 0] for i in range(4)], np.float32),
    ),
    DevClip([pattern(2, 64)] * 2, None),
]
REGIONS = np.zeros((4, len(REGION_NAMES), 4, 4), np.float32)


@pytest.fixture(scope="module")
def generator() -> Generator:
    return shaken(tiny_generator())


def test_it_is_deterministic_and_covers_every_task(generator: Generator) -> None:
    first, second = validate(generator, CLIPS, None), validate(generator, CLIPS, None)
    assert first == second
    assert [s.task for s in first] == [*TASKS, "clean"]
    assert [list(s.more) for s in first] == [["ssim", "exposure_free", "sharpness", "ewarp"]] * 8


def test_a_clean_picture_is_left_alone_under_the_empty_prompt(generator: Generator) -> None:
    clean = validate(generator, CLIPS, None)[-1]
    assert clean.before == clean.after == clean.word == 99.0
    assert clean.auto < 99.0


def test_untrained_nothing_gets_better_or_worse() -> None:
    scores = validate(tiny_generator(), CLIPS, lambda picture: canonical((32.0, 28.0), 20.0))
    for score in scores:
        assert score.before == score.after == score.auto == score.word
    clean = scores[-1].more
    assert clean["ssim"] == pytest.approx(1) and clean["sharpness"] == pytest.approx(1)
    assert clean["psnr_face"] == clean["exposure_free"] == 99.0
    # Moved by whole pixels, and the colours of a pixel are shared by two columns: next to nothing is left.
    assert clean["ewarp"] < 0.1 < scores[0].more["ewarp"]


def test_figures_are_those_of_what_auto_made(generator: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    # Everything but the output under auto, which is 51 of 255 too bright in Y, comes back clean.
    def pretended(generator: Generator, bad: Planar, regions: np.ndarray, prompts: np.ndarray) -> Planar:
        y, uv = clean
        return (y + np.uint8(51), uv) if prompts.sum() < 0 else clean

    frames = [np.full((64, 64, 3), 100, np.uint8)] * 4
    clean = to_planes(frames)
    monkeypatch.setattr(validation, "restore", pretended)
    monkeypatch.setattr(validation, "auto_prompts", lambda averages: -np.ones((4, len(TASKS)), np.float32))
    steady = DevClip(frames, np.zeros((4, 2), np.float32))
    score = validate(generator, [steady], lambda picture: canonical((32.0, 28.0), 20.0))[0]
    # A fifth of the range in two thirds of the samples: 10 log10(25 * 1.5).
    assert score.after == score.word == 99.0 and score.auto == pytest.approx(15.74, abs=0.01)
    assert score.more["psnr_face"] == pytest.approx(15.74, abs=0.1)
    # A constant error of exposure costs nothing there, and what does not change is steady; no detail, no sharpness.
    assert score.more["exposure_free"] == 99.0 and score.more["ewarp"] == 0.0
    assert 0.5 < score.more["ssim"] < 1 and "sharpness" not in score.more


def test_what_some_files_lack_is_the_mean_of_the_others() -> None:
    rows = [{"ssim": 0.5}, {"ssim": 1.0, "ewarp": 3.0}]
    assert validation._means(rows) == {"ssim": 0.75, "ewarp": 3.0}


def test_landmarks_are_looked_for_once_per_clip_and_move_along(
    generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Picture] = []
    faces: list[np.ndarray] = []

    def find(picture: Picture) -> np.ndarray:
        seen.append(picture)
        return canonical((32.0, 28.0), 20.0)

    def masks(points: np.ndarray, *size: int) -> Mask:
        faces.append(points)
        return face_masks(points, *size)

    monkeypatch.setattr(validation, "face_masks", masks)
    with_regions = validate(generator, CLIPS, find)
    assert len(seen) == 2
    assert with_regions != validate(generator, CLIPS, None)
    assert faces[0][3] == pytest.approx(faces[0][0] - (6, 0)) and faces[1][1] == pytest.approx(faces[1][0])


def test_the_average_is_that_of_a_live_call() -> None:
    # A relay looks at the first frame before it restores it, and has each later estimate only for the next frame.
    estimates = np.repeat(np.array([[0.5], [0.7], [0.1], [0.9]], np.float32), len(TASKS), axis=1)
    stand_in = type("Known", (), {"encode": lambda *_: None, "estimated": lambda *_: _Tensor(estimates)})()
    averages = averages_of_a_call(stand_in, to_planes(CLIPS[0].frames))
    third = 0.5 + SMOOTHING * 0.2
    expected = [0.5, 0.5, third, third + SMOOTHING * (0.1 - third)]
    assert [float(a[0]) for a in averages] == pytest.approx(expected)


class _Tensor:
    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def numpy(self) -> np.ndarray:
        return self.values


def test_the_estimate_is_the_generator_s_own(generator: Generator) -> None:
    y, uv = (torch.from_numpy(p.astype(np.float32) / 255) for p in to_planes(CLIPS[0].frames))
    prompt = torch.full((1, 4, len(TASKS)), 0.5)
    with torch.no_grad():
        out = generator.clip(Frame(y[None], uv[None], torch.from_numpy(REGIONS)[None], prompt, torch.ones(1, 4, 1)))
        alone = generator.estimated(generator.encode(y, uv))
    assert torch.allclose(out.prompt_hat, alone, atol=1e-6) and alone.std() > 0


def test_a_word_is_as_much_as_the_picture_needs() -> None:
    what = Degradation({"noise": 0.9, "rain": 0.1})
    averages = [np.full(len(TASKS), level, np.float32) for level in (0.1, 0.6)]
    prompts = word_prompts(what, averages)
    named = np.isin(TASKS, ["noise", "rain"])
    assert prompts[0] == pytest.approx(np.where(named, LEAST, 0)) and prompts[1] == pytest.approx(named * 0.6)
    assert not word_prompts(Degradation(), averages).any()


def test_restoring_a_single_frame_works(generator: Generator) -> None:
    planes = to_planes([pattern(1, 64)])
    prompts = np.full((1, len(TASKS)), 0.5, np.float32)
    y, uv = restore(generator, planes, REGIONS[:1], prompts)
    assert y.shape == planes[0].shape and uv.shape == planes[1].shape and y.dtype == np.uint8
