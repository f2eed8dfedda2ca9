"""What methods tell the filter."""

from __future__ import annotations

import numpy as np

from benchmarks.quality.methods import exactly
from stream.prompt import WHOLE, as_needed, parse_prompt

KNOWN = ("noise", "low resolution")


def test_the_right_prompt_reaches_the_filter_as_it_is() -> None:
    """Guards against: a full weight means "as much as the picture needs", so the strongest damage was left to auto."""
    right = np.array([0.5, 1.0], np.float32)
    weights = parse_prompt(exactly(right, KNOWN), KNOWN)
    assert weights is not None and not (weights == WHOLE).any()
    assert np.allclose(as_needed(weights, np.zeros(2, np.float32)), right, atol=0.02)


def test_nothing_known_is_auto() -> None:
    assert exactly(None, KNOWN) == "auto"
    assert exactly(np.zeros(2, np.float32), KNOWN) == "none"
