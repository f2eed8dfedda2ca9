"""The same picture is found again when it is smaller, coarser, tilted or mirrored; another face is not taken for it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.training.curation.heads import USUAL, head, landmarks
from training.curation.face import Points, cut_face
from training.curation.likeness import (
    LENGTH,
    Signature,
    load_likeness,
    mirrored,
    signature,
    similar_to,
    unit,
)
from training.faces import Picture


def signed(picture: Picture, points: Points) -> Signature:
    return signature(cut_face(picture, points))


def similarity(one: Signature, other: Signature) -> float:
    wanted, flipped = unit([one, mirrored(one)], USUAL)
    return float(similar_to(wanted, flipped, unit([other], USUAL))[0])


def test_a_smaller_coarser_darker_copy_is_the_same() -> None:
    picture, points = head(1)
    small = cv2.resize(picture, (200, 200), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", np.rint(small * 0.6).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 30])
    again = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    there = ((points + 0.5) * (200 / 320) - 0.5).astype(np.float32)
    assert similarity(signed(picture, points), signed(again, there)) > 0.95


def test_a_tilted_copy_is_the_same() -> None:
    picture, points = head(1)
    matrix = cv2.getRotationMatrix2D((160, 160), 20, 1)
    tilted = np.asarray(cv2.warpAffine(picture, matrix, (320, 320), borderMode=cv2.BORDER_REFLECT), np.uint8)
    there = np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)
    assert similarity(signed(picture, points), signed(tilted, there)) > 0.95


def test_a_mirrored_copy_is_the_same() -> None:
    picture, points = head(1)
    flipped = np.ascontiguousarray(picture[:, ::-1])
    there = landmarks(319 - 160, 160, 160)
    assert similarity(signed(picture, points), signed(flipped, there)) > 0.95
    plain = unit([signed(picture, points), signed(flipped, there)], USUAL)
    assert float(plain[0] @ plain[1]) < 0.5


@pytest.mark.parametrize("seed", range(2, 8))
def test_another_face_is_another(seed: int) -> None:
    assert similarity(signed(*head(1)), signed(*head(seed))) < 0.5


def test_what_is_shipped_fits() -> None:
    usual = load_likeness()
    assert usual.mean.shape == usual.deviation.shape == (LENGTH,)
    assert (usual.deviation > 0).all()
    assert 0 < usual.person < usual.copy < 1
