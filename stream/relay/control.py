"""The data channel's messages: what a caller may say, and what it is told."""

from __future__ import annotations

import json
from dataclasses import dataclass

from engines.errors import BadInput
from stream.wishes import check_prompt, check_strength

MAX_MESSAGE = 2048
"""Characters of one message."""


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
