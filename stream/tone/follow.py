"""The tone from frame to frame: it follows what is wanted slowly, never by a jump."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np

from stream.tone.curve import Tone, steepness, white_at

PACE = 0.1
"""Share of the way to what is wanted, in a frame: a face that turns moves the estimate, and must not move the room."""
MOST = Tone(gain=0.03, lift=1.0, veil=3.0, contrast=0.03, tint_u=0.5, tint_v=0.5, top=12.0)
"""Most that a frame changes: a lamp that comes on is followed in about a second."""
DARKER, LEAST = 0.25, 0.02
"""How much the bend of what is bright may give way in a frame, of 1 (`steepness`). A lamp is bright at once, and until
the gain has followed, the bend keeps it from burning out; were it bent at once, a light wall beside it would darken by
31 levels within a frame. So a lamp is burnt out for some frames, as it is in a camera. And the steepness below which
nothing more is held back."""


def follow(before: Tone | None, wanted: Tone) -> Tone:
    """The next frame's tone; the first is taken as it is."""
    if before is None:
        return wanted
    steps = zip(astuple(before), astuple(wanted), astuple(MOST), strict=True)
    after = Tone(*(old + max(-most, min(most, PACE * (new - old))) for old, new, most in steps))
    if wanted.top > before.top:
        after = replace(after, top=min(wanted.top, max(before.top, _brightest(replace(after, top=before.top)))))
    return after


def _brightest(tone: Tone) -> float:
    """The top that bends at most `DARKER` more than this tone's own."""
    steep = steepness(float(tone.line(np.array(tone.top))))
    return tone.before_line(white_at(max(steep - DARKER, LEAST)))
