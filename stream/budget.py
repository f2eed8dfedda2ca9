"""The latency budget: how long the filter may keep a frame, as it is told on the command line."""

from __future__ import annotations

import re

from engines.errors import BadInput

DEFAULT = "33ms"
"""One frame at 30 a second."""
HELP = (
    "delay that the filter may add, such as 20ms or 0.05s, a number alone in milliseconds; "
    f"quality gives way where time is short (default: {DEFAULT})"
)
"""Of the option, wherever it is."""
LEAST_S, MOST_S = 0.005, 1.0
_FORM = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)(ms|s)?")


def read_budget(text: str) -> float:
    """Seconds in a text such as 33ms, 33 or 0.05s.

    Raises:
        BadInput: It is no such text, or out of range.
    """
    match = _FORM.fullmatch(text.strip())
    if not match:
        raise BadInput(f"--latency-budget needs a time such as {DEFAULT}, not {text[:40]!r}")
    seconds = float(match[1]) * (1.0 if match[2] == "s" else 0.001)
    if not LEAST_S <= seconds <= MOST_S:
        raise BadInput(f"--latency-budget must be {1000 * LEAST_S:g}ms to {MOST_S:g}s, not {text[:40]}")
    return seconds
