"""What a face does: nothing unless told, in the right place, and never two places at once."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.face_landmarks import canonical
from training.expression import CLOSED, Expression, FaceShape, sample_expression
from training.lookup import pixel_grid

GRID = pixel_grid(256)
FACE = FaceShape(canonical())
MOST = {"yaw": 0.14, "pitch": 0.1, "shift_x": 0.12, "shift_y": 0.08, "brows": 0.1, "blink": CLOSED, "mouth": 0.13}
NOTHING = dict.fromkeys(MOST, 0.0)


def offsets(**doing: float) -> np.ndarray:
    return FACE.origins(GRID, NOTHING | doing)[0] - GRID


def test_nothing_is_nothing() -> None:
    places, inside = FACE.origins(GRID, NOTHING)
    assert np.array_equal(places, GRID) and inside is None
    assert np.array_equal(FACE.origins(GRID, {})[0], GRID)


@pytest.mark.parametrize("name", MOST)
def test_no_point_comes_from_two_places(name: str) -> None:
    # Guards against folds: flow would be ambiguous, and a face seen twice.
    for share in (0.5, 1.0, -1.0 if name in ("yaw", "pitch", "shift_x", "shift_y") else 1.0):
        places = FACE.origins(GRID, NOTHING | {name: share * MOST[name]})[0]
        along_x, along_y = np.gradient(places, axis=1), np.gradient(places, axis=0)
        area = along_x[..., 0] * along_y[..., 1] - along_x[..., 1] * along_y[..., 0]
        assert area.min() > 0.01


@pytest.mark.parametrize("name", [n for n in MOST if not n.startswith("shift")])
def test_the_background_stays(name: str) -> None:
    off = offsets(**{name: MOST[name]})
    assert np.abs(off[:20]).max() < 0.5 and np.abs(off[:, :20]).max() < 0.5
    assert np.abs(off).max() > 3


def test_a_turn_moves_the_nose_most() -> None:
    off = offsets(yaw=0.1)[..., 0]
    assert off[142, 128] == pytest.approx(-0.1 * 80, rel=0.15) and abs(off[142, 80]) < 0.75 * abs(off[142, 128])


def test_a_blink_brings_the_lid_down() -> None:
    closed = FACE.origins(GRID, NOTHING | {"blink": CLOSED})[0]
    # A little above the lower lid, in the middle of an eye, the skin from above the upper lid is seen.
    x, lower, upper = 128 + round(-0.35 * 80), 110 + 0.05 * 80, 110 - 0.07 * 80
    assert closed[round(lower) - 2, x, 1] < upper
    assert np.abs(closed[110, 128] - (128, 110)).max() < 0.5


def test_an_open_mouth_shows_its_inside_and_moves_the_chin() -> None:
    places, inside = FACE.origins(GRID, NOTHING | {"mouth": 0.13})
    assert inside is not None and inside.shape == (256, 256) and 0 <= inside.min() and inside.max() > 0.9
    rows, columns = np.nonzero(inside > 0.5)
    assert abs(columns.mean() - 128) < 2 and 168 < rows.mean() < 182
    assert places[212, 128, 1] < 212 - 5
    closed = FACE.origins(GRID, NOTHING | {"mouth": 0.001})[1]
    assert closed is not None and closed.max() == 0


def test_drawn_movements_are_bounded_and_often_missing() -> None:
    rng = np.random.default_rng(1)
    drawn = [sample_expression(rng, 12) for _ in range(200)]
    for name, most in MOST.items():
        ways = [np.abs(getattr(e, name)) for e in drawn]
        assert max(w.max() for w in ways) <= most + 1e-9 and all(len(w) == 12 for w in ways)
        assert 0.15 < np.mean([w.any() for w in ways]) < 0.6
    again = sample_expression(np.random.default_rng(1), 12)
    assert isinstance(again, Expression) and again.at(3) == drawn[0].at(3)
