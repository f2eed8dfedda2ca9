"""Region maps from landmarks."""

from __future__ import annotations

import numpy as np
import pytest

from stream.face.regions import REGION_NAMES, region_maps
from tests.stream.face.shapes import drawn_face


def area(maps: np.ndarray, name: str, cell: float) -> float:
    return float(maps[REGION_NAMES.index(name)].sum() * cell**2)


@pytest.mark.parametrize("grid", [16, 24, 32, 64])
def test_shares_sum_to_one(grid: int) -> None:
    # Guards against rounding: the generator takes the maps for weights.
    maps = region_maps(drawn_face(310.3, 250.7, 150.5), 160, 128, 256, grid)
    assert maps.shape == (8, grid, grid) and maps.dtype == np.float32
    assert maps.min() >= 0 and maps.max() <= 1
    np.testing.assert_allclose(maps.sum(axis=0), 1, atol=1e-6)


def test_no_face_is_no_region() -> None:
    # Guards against a lost face being taken for a face that is nowhere, which is all rest.
    assert not region_maps(None, 0, 0, 256, 32).any()
    assert (region_maps(drawn_face(5000, 5000, 100), 0, 0, 256, 32)[-1] == 1).all()


def test_areas_are_those_of_the_outlines() -> None:
    face, cell = drawn_face(256, 256, 200), 384 / 32
    maps = region_maps(face, 64, 64, 384, 32)
    assert area(maps, "left_eye", cell) == pytest.approx(np.pi * 20 * 8, rel=0.35)
    assert area(maps, "nose", cell) == pytest.approx(np.pi * 16 * 30, rel=0.25)
    assert area(maps, "rest", cell) == pytest.approx(384**2 - np.pi * 100 * 120, rel=0.03)


def test_left_is_the_persons_left() -> None:
    maps = region_maps(drawn_face(256, 256, 200), 64, 64, 384, 32)
    columns = np.arange(32)
    left, right = (maps[REGION_NAMES.index(name)].sum(axis=0) for name in ("left_eye", "right_eye"))
    assert (left * columns).sum() / left.sum() > 16 > (right * columns).sum() / right.sum()


def test_a_closed_mouth_shows_none() -> None:
    # Guards against the polygon's outline, which OpenCV always paints, opening a closed mouth.
    closed = region_maps(drawn_face(256, 256, 200, mouth=0.0), 64, 64, 384, 32)
    opened = region_maps(drawn_face(256, 256, 200, mouth=0.08), 64, 64, 384, 32)
    assert closed[REGION_NAMES.index("mouth")].max() == 0
    assert opened[REGION_NAMES.index("mouth")].max() == 1
    assert closed[REGION_NAMES.index("lips")].sum() > opened[REGION_NAMES.index("lips")].sum()


def test_a_moved_crop_moves_the_maps() -> None:
    face = drawn_face(256, 256, 150)
    here, there = region_maps(face, 64, 64, 384, 32), region_maps(face, 64 - 24, 64 + 12, 384, 32)
    np.testing.assert_array_equal(here[:, 1:, :-2], there[:, :-1, 2:])


def test_wild_landmarks_do_no_harm() -> None:
    maps = region_maps(drawn_face(1e7, -1e7, 1e6), 0, 0, 256, 32)
    assert np.isfinite(maps).all()
