"""Looking up between pixels: the plain formula, for any number of channels."""

from __future__ import annotations

import numpy as np
import pytest

from training.lookup import field_at, picture_at, pixel_grid


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_field_is_interpolated_linearly(channels: int) -> None:
    # Guards against OpenCV's own shortcut, which returned rubbish for one, three and four channels.
    rng = np.random.default_rng(1)
    field = rng.random((34, 37, channels)).astype(np.float32)
    place = np.asarray(rng.uniform(0, 33, (128, 128, 2)), np.float32)
    x, y = np.floor(place).astype(int).transpose(2, 0, 1)
    right, down = (place - np.floor(place)).transpose(2, 0, 1)[..., None]
    upper = field[y, x] * (1 - right) + field[y, x + 1] * right
    lower = field[np.minimum(y + 1, 33), x] * (1 - right) + field[np.minimum(y + 1, 33), x + 1] * right
    given = field[..., 0] if channels == 1 else field
    found = field_at(given, place).reshape(128, 128, channels)
    assert np.abs(found - (upper * (1 - down) + lower * down)).max() < 0.04
    assert np.allclose(field_at(given, place - 1000)[0, 0], given[0, 0], atol=1e-5)


def test_a_picture_at_its_own_pixels_is_itself() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    assert np.array_equal(picture_at(picture, pixel_grid(64)), picture)
