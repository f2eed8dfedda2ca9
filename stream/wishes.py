"""What a user wishes for, prompt and strength, checked alike at every door."""

from __future__ import annotations

from engines.errors import BadInput

MAX_PROMPT = 200
"""Characters of a prompt."""
STRENGTH = "strength"
"""What an error calls it, unless it came by an option."""
RANGE = "must be a number from 0 to 1"


def check_prompt(value: object) -> str:
    """A prompt of bounded length; whether the model knows it, the filter says.

    Raises:
        BadInput: It is no text or too long.
    """
    if not isinstance(value, str) or len(value) > MAX_PROMPT:
        raise BadInput(f"a prompt is a text of at most {MAX_PROMPT} characters")
    return value


def check_strength(value: object, name: str = STRENGTH) -> float:
    """A strength: 0 changes nothing, 1 restores fully.

    Raises:
        BadInput: It is no number or out of range.
    """
    # A bool is an int to Python, but no strength.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadInput(f"{name} {RANGE}")
    # Not the other way round: NaN is in no range.
    if not 0 <= value <= 1:
        raise BadInput(f"{name} {RANGE}, not {str(value)[:20]}")
    return float(value)


def parse_strength(text: str, name: str = STRENGTH) -> float:
    """A strength as it is written in an option or an address.

    Raises:
        BadInput: It is no number or out of range.
    """
    try:
        value = float(text)
    except ValueError:
        raise BadInput(f"{name} {RANGE}, not {text[:40]!r}") from None
    return check_strength(value, name)
