"""The tone from frame to frame: it follows what is wanted slowly, never by a jump."""

from __future__ import annotations

from dataclasses import astuple, replace

from stream.tone.curve import Tone

PACE = 0.1
"""Share of the way to what is wanted, in a frame: a face that turns moves the estimate, and must not move the room."""
MOST = Tone(gain=0.03, lift=1.0, veil=3.0, contrast=0.03, tint_u=0.5, tint_v=0.5, top=12.0)
"""Most that a frame changes: a lamp that comes on is followed in about a second."""


def follow(before: Tone | None, wanted: Tone) -> Tone:
    """The next frame's tone; the first is taken as it is, and so is a brighter top."""
    if before is None:
        return wanted
    steps = zip(astuple(before), astuple(wanted), astuple(MOST), strict=True)
    after = Tone(*(old + max(-most, min(most, PACE * (new - old))) for old, new, most in steps))
    # A lamp is bright at once: until the gain has followed, the bend keeps it from burning out.
    return replace(after, top=max(after.top, wanted.top))
