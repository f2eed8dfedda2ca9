"""FID and KID on features worked out by hand; what is missing is said."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from benchmarks.quality import perceptual
from benchmarks.quality.perceptual import fid, kid
from engines.errors import BadInput
from training.degrade import to_planes


def test_fid_of_one_dimension_is_the_distance_of_mean_and_deviation() -> None:
    # Means 0 and 3, variances 2 and 8: 3² + (√2 - √8)² = 9 + 2.
    one, two = np.array([[-1.0], [1.0]]), np.array([[1.0], [5.0]])
    assert fid(one, two) == pytest.approx(11.0)
    assert fid(one, one) == pytest.approx(0.0)


def test_fid_agrees_with_the_root_of_the_matrices() -> None:
    # Diagonal covariances: the sum over the dimensions.
    one = np.array([[1.0, 0], [-1, 0], [0, 2], [0, -2]])
    two = one[:, ::-1]
    # Variances 2/3 and 8/3 against 8/3 and 2/3.
    assert fid(one, two) == pytest.approx(2 * (np.sqrt(8 / 3) - np.sqrt(2 / 3)) ** 2)


def test_kid_by_hand() -> None:
    # Kernel (x y + 1)³: within ours k(0,1) = 1, within theirs k(1,1) = 8, across (1 + 1 + 8 + 8) / 4.
    ours, theirs = np.array([[0.0], [1.0]]), np.array([[1.0], [1.0]])
    assert kid(ours, theirs) == pytest.approx(100 * (1 + 8 - 2 * 4.5))
    assert kid(ours[:1], theirs) is None


class Mirror(torch.nn.Module):
    """In the place of a network: says what it was shown."""

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__()

    def forward(self, a: torch.Tensor, b: torch.Tensor | None = None) -> torch.Tensor:
        return a.float().mean(dim=(2, 3)) if b is None else (a - b).abs().mean()

    def reset(self) -> None:
        pass


@pytest.fixture
def in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    module = SimpleNamespace(NoTrainInceptionV3=Mirror, LearnedPerceptualImagePatchSimilarity=Mirror)
    monkeypatch.setattr(perceptual, "_imported", lambda what, name: (torch, module))


def test_networks_are_shown_rgb_frames(in_its_place: None) -> None:
    red = to_planes([np.full((32, 32, 3), (40, 60, 200), np.uint8)] * 2)
    features = perceptual.Inception()(red)
    assert features.shape == (2, 3)
    np.testing.assert_allclose(features[0], (200, 60, 40), atol=3)


def test_lpips_is_the_mean_over_frames_of_pictures_in_0_to_1(in_its_place: None) -> None:
    black, grey = (np.full((32, 32, 3), level, np.uint8) for level in (0, 102))
    lpips = perceptual.open_lpips()
    clean = to_planes([black, black])
    assert lpips(clean, clean) == 0.0
    assert lpips(to_planes([black, grey]), clean) == pytest.approx(0.2, abs=0.01)


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    monkeypatch.setitem(sys.modules, "torchmetrics.image.lpip", None)
    with pytest.raises(BadInput, match=r"pip install -e .*\[metrics\]"):
        perceptual.open_lpips()
