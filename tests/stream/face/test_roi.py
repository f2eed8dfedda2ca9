"""The square that the mesh looks at, and the image read out of it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stream.face.roi import Roi, RoiImage, lift, roi_from_landmarks
from stream.frames.planes import Planes
from tests.stream.face.shapes import drawn_face, grey, texture


def test_the_matrix_puts_the_centre_in_the_middle_and_turns_clockwise() -> None:
    matrix = Roi(x=100, y=50, size=40, angle=math.pi / 2).matrix(20)
    np.testing.assert_allclose(matrix @ (10, 10, 1), (100, 50))
    # To the right in the square is down in the frame.
    np.testing.assert_allclose(matrix @ (20, 10, 1), (100, 70), atol=1e-9)


def test_the_square_follows_size_place_and_turn() -> None:
    face = drawn_face(300, 200, 100)
    turn = 0.3
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]], np.float32)
    roi = roi_from_landmarks(face)
    assert (roi.x, roi.y) == pytest.approx((300, 200), abs=2)
    assert roi.size == pytest.approx(1.5 * 120, rel=0.02)
    assert roi.angle == pytest.approx(0, abs=1e-6)
    assert roi_from_landmarks((face - (300, 200)).astype(np.float32) @ rotation.T).angle == pytest.approx(
        turn, abs=1e-5
    )


def test_reads_strided_planes_bt601() -> None:
    # Guards against views of interleaved chroma (NV12) being read as if they were packed.
    chroma = np.empty((32, 32, 2), np.uint8)
    chroma[..., 0], chroma[..., 1] = 90, 240
    planes = Planes(np.full((64, 64), 81, np.uint8), chroma[..., 0], chroma[..., 1])
    rgb = RoiImage(32).read(planes, Roi(32, 32, 32, 0).matrix(32), full_range=False)
    # Bright enough to be taken as it is? No: 81 is lifted, so only the hue is known.
    assert (rgb[..., 0] > rgb[..., 1] + 100).all() and (rgb[..., 0] > rgb[..., 2] + 100).all()


def test_full_range_is_told_from_limited() -> None:
    planes = grey(np.full((64, 64), 255, np.uint8))
    matrix = Roi(32, 32, 32, 0).matrix(32)
    assert RoiImage(32).read(planes, matrix, full_range=True).min() >= 253
    planes = grey(np.full((64, 64), 200, np.uint8))
    full = RoiImage(32).read(planes, matrix, full_range=True).mean()
    limited = RoiImage(32).read(planes, matrix, full_range=False).mean()
    assert full == pytest.approx(200, abs=2) and limited == pytest.approx((200 - 16) * 255 / 219, abs=2)


def test_chroma_lies_on_luma() -> None:
    # Guards against chroma that is read from half the place, or from the same place at twice the scale.
    luma = texture(96, 96)
    planes = Planes(luma, np.ascontiguousarray(luma[::2, ::2]), np.full((48, 48), 128, np.uint8))
    image = RoiImage(64)
    image.read(planes, Roi(50, 40, 64, 0).matrix(64), full_range=False)
    upsampled = image._u.repeat(2, 0).repeat(2, 1).astype(float)
    assert np.corrcoef(upsampled.ravel(), luma[8:72, 18:82].ravel())[0, 1] > 0.9


def test_outside_the_frame_the_border_goes_on() -> None:
    rgb = RoiImage(32).read(grey(np.full((20, 20), 235, np.uint8)), Roi(0, 0, 200, 0.4).matrix(32), full_range=False)
    assert rgb.min() > 250


def test_only_dark_pictures_are_lifted() -> None:
    # Guards against a change of the landmarks in a well lit picture, and against a division by zero in a black one.
    assert lift(np.full((32, 32), 180, np.uint8)) == 1
    assert 2 < lift(np.full((32, 32), 50, np.uint8)) < 5
    assert lift(np.zeros((32, 32), np.uint8)) == lift(np.full((32, 32), 16, np.uint8)) == 16
