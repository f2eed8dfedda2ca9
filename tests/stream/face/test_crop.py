"""The crop: steady, on its grid, inside the frame, round the face."""

from __future__ import annotations

import numpy as np
import pytest

from stream.face.crop import Crop, next_crop
from stream.face.roi import Box

GRAPHS = (256, 384, 512)


def box(x: float, y: float, size: float) -> Box:
    return x - size * 0.4, y - size / 2, x + size * 0.4, y + size / 2


def crop(size: float, previous: Crop | None = None, x: float = 640, y: float = 360) -> Crop:
    return next_crop(previous, box(x, y, size), 1280, 720, GRAPHS)


@pytest.mark.parametrize(
    ("face", "size", "graph"),
    [(20, 256, 256), (156, 256, 256), (157, 384, 384), (234, 384, 384), (235, 512, 512), (409, 512, 512)]
    + [(410, 576, 512), (460, 576, 512), (461, 640, 512)],
)
def test_the_smallest_graph_that_nearly_holds_the_face(face: float, size: int, graph: int) -> None:
    # Guards against a margin a few pixels short costing twice the time.
    assert (crop(face).size, crop(face).graph) == (size, graph)


def test_the_order_of_the_graphs_does_not_matter() -> None:
    assert next_crop(None, box(640, 360, 200), 1280, 720, (512, 256, 384)).graph == 384


def test_size_has_hysteresis_both_ways() -> None:
    # Guards against two graphs taking turns for a face between two sizes: each switch forgets the latents.
    small, large = crop(150), crop(170)
    assert (small.size, large.size) == (256, 384)
    for face in (146, 150, 155, 157, 160, 162):
        assert crop(face, small).size == 256
        assert crop(face, large).size == 384
    assert crop(166, small).size == 384
    assert crop(136, large).size == 256
    beyond = crop(430)
    assert beyond.size == 576 and crop(370, beyond).size == 576 and crop(360, beyond).size == 512


@pytest.mark.parametrize("face", [156, 157, 234, 235, 409, 410, 460, 461])
def test_a_size_just_chosen_has_room_both_ways(face: float) -> None:
    # Guards against a tolerance that starts a crop at the very end of what keeps it.
    start = crop(face)
    for change in (0.97, 1.03):
        assert crop(face * change, start).size == start.size


def test_a_changed_choice_of_graphs_counts_at_once() -> None:
    # Guards against a crop that stays at a graph which the time budget has just taken away.
    now = next_crop(crop(200), box(640, 360, 200), 1280, 720, (256,))
    assert now.size == 256 and now.graph == 256
    far = next_crop(crop(300), box(640, 360, 300), 1280, 720, (256,))
    assert far.size == 384 and far.graph == 256
    assert next_crop(now, box(640, 360, 200), 1280, 720, GRAPHS).graph == 384


def test_a_nod_does_not_move_the_crop() -> None:
    start = crop(200)
    for x, y in ((645, 352), (632, 365), (650, 370)):
        assert crop(200, start, x, y) == start
    moved = crop(200, start, x=690)
    assert moved.x > start.x and moved.x % 32 == 0 and moved.y == start.y


@pytest.mark.parametrize(
    "frame", [(640, 480), (1280, 720), (1281, 721), (401, 301), (200, 600), (255, 256), (511, 720)]
)
def test_random_walks(frame: tuple[int, int]) -> None:
    rng = np.random.default_rng(sum(frame))
    width, height = frame
    for _ in range(20):
        face = np.array([*rng.uniform(0, frame), rng.uniform(30, 0.9 * min(frame))])
        previous: Crop | None = None
        for _ in range(100):
            face += rng.normal(0, (6, 6, 4))
            face = np.clip(face, (0, 0, 30), (width, height, 0.9 * min(frame)))
            left, top, right, bottom = box(*face)
            now = next_crop(previous, (left, top, right, bottom), width, height, GRAPHS)
            assert now.x % 2 == 0 and now.y % 2 == 0
            assert now.graph == min(now.size, 512) and (now.size in GRAPHS or now.size % 64 == 0)
            for start, edge in ((now.x, width), (now.y, height)):
                if now.size <= edge:
                    assert 0 <= start <= edge - now.size
                else:
                    assert start <= 0 and start + now.size >= edge
            # As much of the face as the frame shows; an even place cannot reach an odd frame's last column.
            assert now.x <= max(left, 0) and min(right, width // 2 * 2) <= now.x + now.size
            assert now.y <= max(top, 0) and min(bottom, height // 2 * 2) <= now.y + now.size
            previous = now


def test_jitter_never_flickers() -> None:
    # Guards against the crop hopping between two grid places: each hop costs the cached latents their registration.
    rng = np.random.default_rng(3)
    for _ in range(200):
        x, y, size = rng.uniform(200, 1000), rng.uniform(100, 600), rng.uniform(60, 400)
        seen: list[Crop] = []
        for _ in range(40):
            dx, dy, ds = rng.uniform(-3, 3, 3)
            now = next_crop(seen[-1] if seen else None, box(x + dx, y + dy, size + ds), 1280, 720, GRAPHS)
            if not seen or now != seen[-1]:
                seen.append(now)
        # It may still settle once, where the first frame was off to one side.
        assert len(seen) <= 2
