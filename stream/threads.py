"""How many threads an engine gets, of a machine's cores."""

from __future__ import annotations


def for_files(cores: int) -> int:
    """For a file: half the cores, four at the most; the other half decodes and encodes at the same time."""
    return max(1, min(4, cores // 2))


def for_calls(cores: int) -> int:
    """For a call: two where as many cores are left for decoding, encoding and the user's other programs, else one.

    On two cores a step in two threads takes as long as in one, since both wait for whoever decodes and encodes.
    """
    return 2 if cores >= 4 else 1
