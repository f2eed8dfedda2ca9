"""The data channel's messages: what a caller may say, and what it is told."""

from __future__ import annotations

import json
from dataclasses import dataclass

from engines.errors import BadInput

MAX_MESSAGE = 2048
"""Characters of one message."""
MAX_PROMPT = 200
"""Characters of a prompt."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a caller wants changed; None leaves it."""

    prompt: str | None = None
    strength: float | None = None


def read_change(message: str | bytes) -> Change:
    """Read `{"prompt": …, "strength": …}`.

    Raises:
        BadInput: It is no such message.
    """
    if not isinstance(message, str):
        raise BadInput("a message must be JSON text, not bytes")
    if len(message) > MAX_MESSAGE:
        raise BadInput(f"a message may have {MAX_MESSAGE} characters, not {len(message)}")
    try:
        value = json.loads(message)
    except (ValueError, RecursionError):
        raise BadInput("the message is not JSON") from None
    if not isinstance(value, dict) or not value or not value.keys() <= {"prompt", "strength"}:
        raise BadInput('a message is an object with "prompt", "strength" or both')
    prompt, strength = value.get("prompt"), value.get("strength")
    return Change(
        None if prompt is None else check_prompt(prompt),
        None if strength is None else check_strength(strength),
    )


def check_prompt(value: object) -> str:
    """A prompt of bounded length; whether the model knows it, the filter says.

    Raises:
        BadInput: It is no text or too long.
    """
    if not isinstance(value, str) or len(value) > MAX_PROMPT:
        raise BadInput(f"a prompt is a text of at most {MAX_PROMPT} characters")
    return value


def check_strength(value: object) -> float:
    """A strength from 0 to 1.

    Raises:
        BadInput: It is no number or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadInput("strength must be a number from 0 to 1")
    if not 0 <= value <= 1:
        raise BadInput(f"strength must be a number from 0 to 1, not {str(value)[:20]}")
    return float(value)


def parse_strength(text: str) -> float:
    """A strength as it stands in a call's address.

    Raises:
        BadInput: It is no number or out of range.
    """
    try:
        value = float(text)
    except ValueError:
        raise BadInput(f"strength must be a number from 0 to 1, not {text[:40]!r}") from None
    return check_strength(value)
