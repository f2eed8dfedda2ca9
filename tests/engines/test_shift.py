"""A latent cache that follows the crop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime
import pytest

from engines.manifest import Manifest, StateSpec, StoredFile
from engines.onnx_runtime import OrtCache

NOTHING = StoredFile(Path("none"), "")
STATES = (
    StateSpec("fine", "next_fine", (1, 1, 8, 8), "uint8", 0.0, 8),
    StateSpec("coarse", "next_coarse", (1, 2, 2, 2), "float32", 0.0, 32),
)


class NoSession:
    """Gives the bindings that a cache asks for; nothing is run."""

    def io_binding(self) -> None:
        return None


@pytest.fixture
def cache() -> OrtCache:
    manifest = Manifest("fake-64", "fake", 64, NOTHING, NOTHING, (), (), STATES, (), (), {})
    made = OrtCache(manifest, cast(onnxruntime.InferenceSession, NoSession()))
    made._sets[0]["fine"][:] = np.arange(1, 65, dtype=np.uint8).reshape(8, 8)
    made._sets[0]["coarse"][:] = np.arange(1, 9).reshape(1, 2, 2, 2)
    return made


def test_what_stays_in_sight_moves_and_the_rest_is_forgotten(cache: OrtCache) -> None:
    assert cache.shift(32, 0)
    fine, coarse = cache._sets[0]["fine"][0, 0], cache._sets[0]["coarse"][0]
    assert fine[0].tolist() == [5, 6, 7, 8, 0, 0, 0, 0] and fine[7].tolist() == [61, 62, 63, 64, 0, 0, 0, 0]
    assert coarse.tolist() == [[[2, 0], [4, 0]], [[6, 0], [8, 0]]]


def test_up_and_to_the_left(cache: OrtCache) -> None:
    assert cache.shift(-32, -32)
    assert cache._sets[0]["coarse"][0].tolist() == [[[0, 0], [0, 1]], [[0, 0], [0, 5]]]


def test_farther_than_the_crop_leaves_nothing(cache: OrtCache) -> None:
    assert cache.shift(96, -128)
    assert not cache._sets[0]["fine"].any() and not cache._sets[0]["coarse"].any()


def test_between_two_cells_it_does_not_move(cache: OrtCache) -> None:
    before = cache._sets[0]["fine"].copy()
    assert not cache.shift(16, 0)
    assert np.array_equal(cache._sets[0]["fine"], before)


def test_another_graph_goes_on_from_what_is_remembered(cache: OrtCache) -> None:
    session = cast(onnxruntime.InferenceSession, NoSession())
    manifest = Manifest("other-64", "other", 64, NOTHING, NOTHING, (), (), STATES, (), (), {})
    other = OrtCache(manifest, session)
    cache._keep[:] = 1.0
    assert other.adopt(cache) and other._keep == 1.0
    cache._sets[0]["fine"][:] = 0
    assert other._sets[0]["fine"][0, 0, 0].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert other._sets[0]["coarse"].ravel().tolist() == list(range(1, 9))


def test_a_graph_of_another_size_takes_nothing_over(cache: OrtCache) -> None:
    states = (STATES[0], replace(STATES[1], shape=(1, 2, 4, 4)))
    manifest = Manifest("other-64", "other", 64, NOTHING, NOTHING, (), (), states, (), (), {})
    other = OrtCache(manifest, cast(onnxruntime.InferenceSession, NoSession()))
    assert not other.adopt(cache) and not other._sets[0]["fine"].any()
