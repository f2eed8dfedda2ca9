"""Whether the camera has to be open: while somebody looks, and a little longer."""

from __future__ import annotations

LINGER_S = 3.0
"""Programs let go of a camera and take it again when they change its format or move it to another tab."""


class Presence:
    """Decides; reads no clock."""

    def __init__(self) -> None:
        self._seen: float | None = None

    def wanted(self, has_reader: bool, now: float) -> bool:
        """Whether the camera should be open at `now` seconds."""
        if has_reader:
            self._seen = now
        elif self._seen is not None and now - self._seen >= LINGER_S:
            self._seen = None
        return self._seen is not None
