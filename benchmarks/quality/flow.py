"""Where the pixels of each frame were a frame before, estimated from the clean clip."""

from __future__ import annotations

import cv2
import numpy as np

from training.degrade import Planar
from training.lookup import field_at
from training.warp_error import Motion, inside, places_before


def estimated_motion(clip: Planar) -> list[Motion]:
    """T-1 motions by dense inverse search on Y (Kroeger et al., 2016).

    Seen is what lies in the frame and where the flows there and back agree (Sundaram et al., 2010).
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    frames = clip[0][:, 0]
    found = []
    for before, after in zip(frames, frames[1:], strict=False):
        back = np.asarray(search.calc(after, before, None), np.float32)  # type: ignore[call-overload]
        forth = np.asarray(search.calc(before, after, None), np.float32)  # type: ignore[call-overload]
        places = places_before(back)
        returned = field_at(forth, places)
        gap = ((back + returned) ** 2).sum(axis=-1)
        allowed = 0.01 * ((back**2).sum(axis=-1) + (returned**2).sum(axis=-1)) + 0.5
        found.append(Motion(back, inside(places) & (gap <= allowed)))
    return found
