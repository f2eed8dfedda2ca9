"""What to run on the next frame: pure functions of a small state."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from stream.face.roi import Box

LONGEST_REST = 4
"""Most frames without a look between two runs of the detector that find nothing."""

SAME_FACE = 0.3
"""Intersection over union from which a face found again, in the frame it was lost in, is taken for the same one."""


class Step(enum.Enum):
    """What the tracker does with a frame."""

    DETECT = enum.auto()
    MESH = enum.auto()
    FLOW = enum.auto()
    NOTHING = enum.auto()


@dataclass(slots=True, frozen=True)
class State:
    """What the decision depends on."""

    tracking: bool = False
    unseen: int = 0
    """Frames since the mesh last looked."""
    misses: int = 0
    """Runs of the detector in a row that found nothing."""
    rest: int = 0
    """Frames to let pass before the next one."""


def next_step(state: State, cut: bool, every: int) -> Step:
    """The step for the next frame.

    Args:
        state: As the last frame left it.
        cut: Whether the picture has become another one.
        every: Frames from one run of the mesh to the next.
    """
    if cut:
        return Step.DETECT
    if not state.tracking:
        return Step.DETECT if state.rest == 0 else Step.NOTHING
    return Step.MESH if state.unseen + 1 >= every else Step.FLOW


def found(every: int) -> State:
    """After a detection: its square is rough, so the mesh looks again in the very next frame."""
    return State(tracking=True, unseen=every)


def seen() -> State:
    """After a run of the mesh that saw the face."""
    return State(tracking=True)


def followed(state: State) -> State:
    """After the flow has carried the landmarks on."""
    return replace(state, unseen=state.unseen + 1)


def missed(state: State) -> State:
    """After a detection that found nothing: look less and less often, it costs as much as the mesh."""
    misses = state.misses + 1 if not state.tracking else 1
    return State(misses=misses, rest=min(misses, LONGEST_REST))


def rested(state: State) -> State:
    """After a frame that was let pass."""
    return replace(state, rest=state.rest - 1)


def is_same(one: Box, other: Box) -> bool:
    """Whether two boxes of one moment, or nearly, are of the same face."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return shared > SAME_FACE * (areas - shared)
