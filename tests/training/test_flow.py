"""Flow: the displacement that was made is the one that is told."""

from __future__ import annotations

import cv2
import numpy as np

from training.flow import flow_back
from training.lookup import pixel_grid

GRID = pixel_grid(96)


def under(matrix: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.perspectiveTransform(GRID.reshape(-1, 1, 2), matrix), np.float32).reshape(96, 96, 2)


def test_a_shift() -> None:
    # What the later frame shows at p comes from 3 px further right, 2 px further up: there it was before.
    flow, visible = flow_back(GRID, GRID + np.array([3, -2], np.float32))
    seen = visible[0] > 0
    assert seen[2:, :93].all() and not seen[:, 94:].any() and not seen[:1].any()
    assert np.allclose(flow[0][seen], 3, atol=1e-3) and np.allclose(flow[1][seen], -2, atol=1e-3)
    assert not flow[:, ~seen].any()


def test_a_turn_and_zoom_with_perspective() -> None:
    one = np.array([[1.6, 0.2, 20], [-0.2, 1.7, 40], [3e-4, 0, 1]])
    two = np.array([[1.65, 0.25, 24], [-0.22, 1.68, 37], [2e-4, 1e-4, 1]])
    flow, visible = flow_back(under(one), under(two))
    exact = under(np.linalg.inv(one) @ two) - GRID
    seen = visible[0] > 0
    assert seen.mean() > 0.8
    assert np.abs(flow.transpose(1, 2, 0) - exact)[seen].max() < 0.05


def test_what_was_hidden_is_said_to_be() -> None:
    # A region of the still that the earlier frame does not show at all.
    before = GRID.copy()
    before[:, 48:, 0] += 20
    flow, visible = flow_back(before, GRID)
    hidden = visible[0][10:80, 50:64]
    assert hidden.mean() < 0.05 and visible[0][10:80, 5:44].all() and visible[0][10:80, 72:94].mean() > 0.9
    assert np.allclose(flow[0][10:80, 74:94], -20, atol=0.1)


def test_standing_still_hides_nothing() -> None:
    place = under(np.array([[0.9, 0.1, 3], [-0.1, 0.9, 9], [1e-4, 0, 1]]))
    flow, visible = flow_back(place, place)
    assert visible.all() and np.abs(flow).max() < 1e-2
