"""Dark skin in good light must not be taken for a dark picture."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.curation.heads import landmarks
from training.curation.areas import find_areas
from training.curation.exposure import burnt, highlight
from training.curation.rubric import load_rubric
from training.curation.sharpness import Luma

POINTS = landmarks(160, 160, 160)
AREAS = find_areas(POINTS, 320)


def face(skin: float, eyes: float) -> Luma:
    picture = np.full((320, 320), 230, np.float32)
    picture[AREAS.face] = skin
    x, y = (round(float(v)) for v in POINTS[33] * 0.7 + POINTS[168] * 0.3)
    picture[y - 3 : y + 4, x - 3 : x + 4] = eyes
    return picture


@pytest.mark.parametrize(("skin", "eyes", "lit"), [(60, 220, True), (170, 220, True), (60, 90, False), (25, 40, False)])
def test_the_eyes_tell_whether_there_is_light(skin: float, eyes: float, lit: bool) -> None:
    assert (highlight(face(skin, eyes), AREAS) >= load_rubric().limits["dark"]) is lit


def test_the_background_and_a_noisy_pixel_are_no_light() -> None:
    picture = face(40, 60)
    picture[160, 160] = 255
    assert highlight(picture, AREAS) < 90


def test_white_skin_is_burnt_out() -> None:
    assert burnt(face(255, 255), AREAS) == 1.0
    assert burnt(face(200, 255), AREAS) == 0.0


def test_a_face_outside_the_picture_is_dark() -> None:
    away = find_areas(landmarks(-900, -900, 160), 320)
    assert highlight(face(200, 255), away) == 0.0 and burnt(face(255, 255), away) == 0.0
