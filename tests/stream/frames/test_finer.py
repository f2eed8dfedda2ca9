"""Noise finer than the graph's pixels goes where the generator took noise away; picture stays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from stream.face.crop import Crop
from stream.frames.cut import CutBuffer, cut
from stream.frames.finer import Finer, noise_ratio
from stream.frames.paste import Change
from stream.frames.planes import Plane, Planes

GRAPH = 64
DEVIATION = 12.0


def scene(size: int) -> Planes:
    """Stripes as fine as the frame's pixels on the left, a slope on the right."""
    luma = np.tile(np.linspace(60, 180, size), (size, 1))
    luma[:, : size // 2 : 2] += 25
    chroma = np.full((size // 2, size // 2), 128.0)
    return Planes(*(np.rint(plane).astype(np.uint8) for plane in (luma, chroma, chroma)))


def noisy(planes: Planes, seed: int = 2) -> Planes:
    rng = np.random.default_rng(seed)

    def under(plane: Plane) -> Plane:
        return np.asarray(np.clip(np.rint(plane + rng.normal(0, DEVIATION, plane.shape)), 0, 255).astype(np.uint8))

    return Planes(under(planes.y), under(planes.u), under(planes.v))


def removed(clean: Planes, given: Planes, crop: Crop, full_range: bool = False) -> list[Change]:
    """What a generator that knows the clean crop would change."""
    after, before = CutBuffer(GRAPH), CutBuffer(GRAPH)
    cut(clean, crop.x, crop.y, crop.size, full_range, after)
    cut(given, crop.x, crop.y, crop.size, full_range, before)
    pairs = zip((after.y[0, 0], *after.uv[0]), (before.y[0, 0], *before.uv[0]), strict=True)
    return [np.asarray(cv2.subtract(a, b, dtype=cv2.CV_32F), np.float32) for a, b in pairs]


def rms(values: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


@pytest.mark.parametrize("size", [96, 128, 160])
def test_noise_that_the_graph_cannot_see_goes(size: int) -> None:
    # Guards against a face in a call at the smallest graph that stays nearly as noisy as it came: -8 dB on the call.
    clean, crop = scene(size), Crop(0, 0, size, GRAPH)
    given = noisy(clean)
    made = Finer()(removed(clean, given, crop), given, crop, False, 1.0)
    right = np.s_[8:-8, size // 2 + 8 : -8]
    before = rms((given.y.astype(np.float32) - clean.y)[right])
    left = rms((given.y + made[0] - clean.y)[right])
    alone = given.y + cv2.resize(removed(clean, given, crop)[0], (size, size)) - clean.y
    assert left < 0.4 * before and rms(alone[right]) > 0.7 * before
    for change, plane, flat in ((made[1], given.u, clean.u), (made[2], given.v, clean.v)):
        assert rms(plane + change - flat) < 0.4 * rms(plane.astype(np.float32) - flat)


def test_detail_far_above_the_noise_stays() -> None:
    size = 128
    clean, crop = scene(size), Crop(0, 0, size, GRAPH)
    rng = np.random.default_rng(5)
    weak = np.rint(clean.y + rng.normal(0, 2, clean.y.shape)).astype(np.uint8)
    given = Planes(weak, clean.u, clean.v)
    made = Finer()(removed(clean, given, crop), given, crop, False, 1.0)
    stripes = np.s_[8:-8, 8 : size // 2 - 8]
    now = (given.y + made[0])[stripes]
    assert np.mean(now[:, ::2] - now[:, 1::2]) > 0.9 * 25


@pytest.mark.parametrize("full_range", [False, True])
def test_where_the_generator_took_nothing_away_nothing_else_goes(full_range: bool) -> None:
    crop = Crop(0, 0, 96, GRAPH)
    given = noisy(scene(96))
    nothing = removed(given, given, crop, full_range)
    assert all(not change.any() for change in Finer()(nothing, given, crop, full_range, 1.0))
    # A change of the light alone is none of noise.
    brighter = [nothing[0] + np.float32(20), *nothing[1:]]
    assert np.abs(Finer()(brighter, given, crop, full_range, 1.0)[0] - 20).max() < 0.01


def test_the_share_is_the_share() -> None:
    clean, crop = scene(96), Crop(0, 0, 96, GRAPH)
    given = noisy(clean)
    changes = removed(clean, given, crop)
    none, half, whole = (Finer()(changes, given, crop, False, share)[0].copy() for share in (0.0, 0.5, 1.0))
    assert np.allclose(none, cv2.resize(changes[0], (96, 96)))
    assert np.allclose(half, (none + whole) / 2, atol=1e-3)


def test_a_crop_that_reaches_out_of_the_frame_and_another_size() -> None:
    finer, given = Finer(), noisy(scene(128))
    for crop in (Crop(-16, -8, 96, GRAPH), Crop(0, 0, 128, GRAPH), Crop(64, 64, 96, GRAPH)):
        made = finer(removed(scene(128), given, crop), given, crop, False, 1.0)
        assert [len(change) for change in made] == [crop.size, crop.size // 2, crop.size // 2]


def test_the_larger_the_crop_the_more_noise_is_finer_than_the_graph() -> None:
    assert 0 < noise_ratio(64, 80) < noise_ratio(64, 96) < noise_ratio(64, 128) < noise_ratio(64, 256)
