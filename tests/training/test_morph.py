"""Morphs: the ends are the two stills, and between them landmarks go straight."""

from __future__ import annotations

import cv2
import numpy as np

from tests.training.face_landmarks import canonical
from training.lookup import pixel_grid
from training.morph import Floats, find_morph, mixed

SIZE = 256
FIRST = canonical()


def dotted(points: np.ndarray, colour: int) -> np.ndarray:
    picture = np.full((SIZE, SIZE, 3), 90, np.uint8)
    for x, y in points:
        cv2.circle(picture, (round(16 * float(x)), round(16 * float(y))), 16 * 4, (colour,) * 3, -1, cv2.LINE_AA, 4)
    return picture


def smiling() -> Floats:
    """The corner of the mouth, and what is near, goes up and outwards."""
    near = np.exp(-((FIRST - FIRST[78]) ** 2).sum(axis=1) / (2 * 20.0**2))
    return np.asarray(FIRST + near[:, None] * np.array([-6, -8]), np.float32)


def spot(picture: np.ndarray, about: np.ndarray) -> np.ndarray:
    weights = (picture[..., 0].astype(float) - 90).clip(0)
    weights[np.hypot(*(pixel_grid(SIZE) - about).transpose(2, 0, 1)) > 14] = 0
    return np.asarray((pixel_grid(SIZE) * weights[..., None]).sum(axis=(0, 1)) / weights.sum())


def test_a_landmark_goes_straight_from_one_still_to_the_other() -> None:
    second = smiling()
    morph = find_morph(FIRST, second, (SIZE, SIZE))
    assert morph is not None
    one, two = dotted(FIRST[[78]], 250), dotted(second[[78]], 250)
    back = cv2.invertAffineTransform(morph.matrix)
    end = second[78] @ back[:, :2].T + back[:, 2]
    for weight in (0.0, 0.5, 1.0):
        picture, origin = mixed(one, two, morph, pixel_grid(SIZE), weight, 1.0)
        wanted = FIRST[78] + weight * (end - FIRST[78])
        assert np.abs(spot(picture, wanted) - wanted).max() < 2
        assert np.abs(origin[round(float(wanted[1])), round(float(wanted[0]))] - FIRST[78]).max() < 2.5


def test_weight_nought_is_the_first_still() -> None:
    morph = find_morph(FIRST, smiling(), (SIZE, SIZE))
    assert morph is not None
    one = dotted(FIRST[:40], 250)
    picture, origin = mixed(one, dotted(FIRST[:40], 20), morph, pixel_grid(SIZE), 0.0, 1.0)
    assert np.array_equal(picture, one) and np.array_equal(origin, pixel_grid(SIZE))


def test_hair_and_wall_stay_those_of_the_first() -> None:
    morph = find_morph(FIRST, smiling(), (SIZE, SIZE))
    assert morph is not None
    one, two = np.full((SIZE, SIZE, 3), 200, np.uint8), np.full((SIZE, SIZE, 3), 20, np.uint8)
    picture, _ = mixed(one, two, morph, pixel_grid(SIZE), 1.0, 1.0)
    assert picture[150, 128, 0] < 30 and picture[8, 8, 0] > 195 and picture[250, 128, 0] > 190


def test_the_other_still_may_be_larger_and_turned() -> None:
    turn = cv2.getRotationMatrix2D((128, 128), 6, 1.3)
    second = (FIRST @ turn[:, :2].T + turn[:, 2] + (20, 10)).astype(np.float32)
    morph = find_morph(FIRST, second, (SIZE, SIZE))
    assert morph is not None
    assert np.abs(morph.at(FIRST[None])).max() < 0.5
