"""What fades from face and hair to the crop's border: where the head ends, and how softly."""

from __future__ import annotations

import numpy as np
import pytest

from stream.face.crop import Crop
from stream.face.outline import EVERY, Fading, fade, outline
from stream.frames.paste import COARSE, Sides
from tests.stream.face.shapes import drawn_face

EDGE = 256
CROP = Crop(100, 60, EDGE, EDGE)
WITHIN: Sides = (True, True, True, True)
FACE = drawn_face(100 + 128, 60 + 140, 80)
WALL, HAIR, SKIN = 200, 60, 150


def head() -> tuple[np.ndarray, np.ndarray]:
    """Luma and chroma of a face before a light wall: dark hair is a cap over it, and a dark lamp hangs far away."""
    rows, columns = np.mgrid[:EDGE, :EDGE]
    luma = np.full((EDGE, EDGE), WALL, np.uint8)
    luma[((columns - 128) / 60) ** 2 + ((rows - 125) / 75) ** 2 < 1] = HAIR
    luma[((columns - 128) / 40) ** 2 + ((rows - 140) / 48) ** 2 < 1] = SKIN
    luma[8:40, 8:40] = HAIR
    return luma, np.full((2, EDGE // 2, EDGE // 2), 128, np.uint8)


def test_hair_belongs_to_the_head_and_the_wall_does_not() -> None:
    # Guards against a mask that ends at the forehead.
    found = outline(CROP, FACE, *head())
    cells = EDGE // COARSE
    assert found[140 // cells, 128 // cells], "face"
    assert found[60 // cells, 128 // cells] and found[100 // cells, 78 // cells], "hair"
    assert not found[40 // cells, 128 // cells] and not found[140 // cells, 20 // cells], "wall"
    assert not found[24 // cells, 24 // cells], "what is as dark as hair, but elsewhere"


def test_a_face_at_the_edge_of_its_crop_is_no_trouble() -> None:
    luma, chroma = head()
    for shift in ((-400, 0), (0, -400), (900, 900)):
        found = outline(CROP, FACE + np.array(shift, np.float32), luma, chroma)
        assert found.shape == (COARSE, COARSE)
        assert np.isfinite(fade(found, WITHIN)).all()


def test_all_of_the_head_gets_all_and_the_border_nothing() -> None:
    found = outline(CROP, FACE, *head())
    mask = fade(found, WITHIN)
    assert (mask[found] == 1).all()
    for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]):
        assert not side.any()
    row = mask[140 // (EDGE // COARSE)]
    middle = COARSE // 2
    assert (np.diff(row[:middle]) >= 0).all() and (np.diff(row[middle:]) <= 0).all()
    # All the room there is: a ramp as steep as the square's own would show as a square.
    assert np.abs(np.diff(row)).max() < 0.25


def test_at_the_frames_own_edge_nothing_fades() -> None:
    found = outline(CROP, FACE, *head())
    mask = fade(found, (False, True, True, True))
    assert mask[140 // (EDGE // COARSE), 0] > 0.5 and not mask[:, -1].any()


@pytest.mark.parametrize("moved", [False, True])
def test_it_follows_slowly_and_starts_anew_with_a_crop(moved: bool) -> None:
    # Guards against cells that flicker between hair and wall.
    luma, chroma = head()
    fading = Fading()
    first = fading(CROP, FACE, luma, chroma, WITHIN)
    bald = np.full_like(luma, WALL)
    goal = fade(outline(CROP, FACE, bald, chroma), WITHIN)
    crop = Crop(CROP.x + 16, CROP.y, EDGE, EDGE) if moved else CROP
    seen = [fading(crop, FACE, bald, chroma, WITHIN) for _ in range(8 * EVERY)]
    if not moved:
        steps = [float(np.abs(b - a).max()) for a, b in zip([first, *seen], seen, strict=False)]
        assert 0 < max(steps) <= 0.5 * float(np.abs(goal - first).max()) + 1e-6
        assert np.allclose(seen[-1], goal, atol=0.01)
    else:
        assert not np.allclose(seen[0], first, atol=0.05)
