"""The coder's grid is found wherever the crop has left it, and only where there is one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.training.curation.heads import head, texture
from training.curation.blocks import blockiness
from training.curation.rubric import load_rubric

LIMIT = load_rubric().limits["blocks"]


def as_jpeg(quality: int) -> np.ndarray:
    _, data = cv2.imencode(".jpg", head(3)[0], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (3, 0), (5, 6), (7, 7)])
def test_a_coarse_jpeg_is_blocky_wherever_it_is_cut(x: int, y: int) -> None:
    assert blockiness(as_jpeg(8)[y:, x:]) > LIMIT


def test_without_a_grid_there_is_nothing() -> None:
    assert blockiness(head(3)[0][..., 0]) < LIMIT / 2
    assert blockiness(np.clip(128 + 20 * texture(1, 256, 3.0), 0, 255).astype(np.uint8)) < LIMIT / 2
    assert blockiness(np.full((256, 256), 7, np.uint8)) == 0.0


def test_a_picture_of_a_few_pixels_has_no_blocks() -> None:
    assert blockiness(np.zeros((12, 300), np.uint8)) == 0.0
