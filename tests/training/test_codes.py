"""The share of codebook entries in use."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from tests.generator.tiny import TINY, shaken, tiny_generator
from training.codes import code_use
from training.faces import Picture


def clips() -> list[list[Picture]]:
    rng = np.random.default_rng(1)
    return [[rng.integers(0, 256, (64, 64, 3), np.uint8)] * 2 for _ in range(3)]


def test_it_is_a_share_and_falls_to_one_entry_where_all_entries_are_the_same() -> None:
    generator = shaken(tiny_generator())
    used = code_use(generator, clips())
    assert used.keys() == {"spatial", "temporal"} and all(1 / TINY.codes < share <= 1 for share in used.values())
    book = generator.codebook
    assert book is not None and book.spatial is not None
    with torch.no_grad():
        book.spatial.entries[1:] = -book.spatial.entries[:1]
    # Left are two: the entry and its opposite.
    assert code_use(generator, clips())["spatial"] <= 2 / TINY.codes + 1e-6


def test_what_is_off_is_not_reported() -> None:
    assert code_use(tiny_generator(replace(TINY, temporal_codes=False)), clips()).keys() == {"spatial"}
