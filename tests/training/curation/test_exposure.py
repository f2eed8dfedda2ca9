"""Dark skin in good light must not be taken for a dark picture, nor a bright background for light on the face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from stream.face.regions import FACE_OVAL
from tests.training.curation.heads import landmarks
from training.curation.areas import find_areas
from training.curation.exposure import burnt, highlight
from training.curation.rubric import load_rubric
from training.curation.sharpness import Luma

POINTS = landmarks(160, 160, 160)
AREAS = find_areas(POINTS, 320)


def face(skin: float, eyes: float) -> Luma:
    picture = np.full((320, 320), 230, np.float32)
    cv2.fillPoly(picture, [np.rint(POINTS[list(FACE_OVAL)]).astype(np.int32)], (skin,))
    x, y = (round(float(v)) for v in POINTS[33] * 0.7 + POINTS[168] * 0.3)
    picture[y - 3 : y + 4, x - 3 : x + 4] = eyes
    return picture


@pytest.mark.parametrize(("skin", "eyes", "lit"), [(60, 220, True), (170, 220, True), (60, 90, False), (25, 40, False)])
def test_the_eyes_tell_whether_there_is_light(skin: float, eyes: float, lit: bool) -> None:
    assert (highlight(face(skin, eyes), AREAS, 0.5) >= load_rubric().limits["dark"]) is lit


def test_neither_the_background_nor_noise_is_light() -> None:
    picture = face(40, 60)
    assert highlight(picture, AREAS, 0.0) < 70
    noisy = np.asarray(picture + np.random.default_rng(0).normal(0, 12, picture.shape), np.float32)
    assert highlight(noisy, AREAS, 12.0) < 90


def test_white_skin_is_burnt_out() -> None:
    assert burnt(face(255, 255), AREAS) == 1.0
    assert burnt(face(200, 255), AREAS) == 0.0


def test_a_face_outside_the_picture_is_dark() -> None:
    away = find_areas(landmarks(-900, -900, 160), 320)
    assert highlight(face(200, 255), away, 0.5) == 0.0 and burnt(face(255, 255), away) == 0.0
