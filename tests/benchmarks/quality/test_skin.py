"""Skin tone by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality import skin


def test_the_angle_of_lightness_over_yellow() -> None:
    assert skin.angle(70, 20) == pytest.approx(45.0)
    assert skin.angle(50, 20) == 0.0
    assert skin.angle(30, 20) == pytest.approx(-45.0)


@pytest.mark.parametrize(
    ("degrees", "name"),
    [(60, "very light"), (45, "light"), (30, "intermediate"), (20, "tan"), (0, "brown"), (-40, "dark")],
)
def test_tones_have_names(degrees: float, name: str) -> None:
    assert skin.tone(degrees) == name


def test_the_cheeks_are_looked_at_and_nothing_else() -> None:
    points = np.zeros((1, 468, 2), np.float32)
    for middle, outline in zip((30, 70), skin.CHEEKS, strict=True):
        turn = np.linspace(0, 2 * np.pi, len(outline), endpoint=False)
        points[0, list(outline)] = np.stack([middle + 8 * np.cos(turn), 50 + 8 * np.sin(turn)], axis=-1)
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[38:62] = (119, 158, 199)  # L* 68, b* 26: the arc tangent of 18 / 26
    found = skin.skin_tone(picture, points)
    assert found is not None and found == pytest.approx(34.5, abs=1)
    assert skin.skin_tone(picture, None) is None
