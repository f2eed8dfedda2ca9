"""Scores: every figure of a face and of the whole crop is told, by a name that reports know."""

from __future__ import annotations

import numpy as np

from benchmarks.quality.protocol import Case
from benchmarks.quality.scores import BY_KEY, Extras, score
from training.degrade import Planar


class Faced(Case):
    """A case whose face is the upper half."""

    face = np.repeat([[True]] * 16 + [[False]] * 16, 32, axis=1)[None].repeat(2, axis=0)


def test_light_is_judged_in_the_face_as_in_the_whole() -> None:
    """Guards against: a bar for the face that is never measured."""
    rng = np.random.default_rng(1)
    clean: Planar = rng.integers(60, 120, (2, 1, 32, 32), np.uint8), np.full((2, 2, 16, 16), 128, np.uint8)
    out = clean[0].copy(), clean[1]
    out[0][:, :, :16] += 10
    found = score(Faced("a", "a", "noise", out, clean, {}, (), None, None), out, Extras())
    assert found["exposure_error"] == 5 and found["exposure_error_face"] == 10
    assert {"exposure_free", "exposure_free_face", "gradients", "gradients_face"} <= found.keys() <= BY_KEY.keys()
