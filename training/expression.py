"""What a face does in front of the camera: it turns, blinks, talks, lifts its brows, and moves against the wall behind.

Each is a map from where a pixel is to where it comes from in the still, in units of the distance between the outer eye
corners, with the eye line as x axis. The maps are continuous, and no point comes from two places.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from stream.face.regions import FACE_OVAL
from training.pose import swing

Floats = NDArray[np.float32]

_RIGHT_CORNER, _LEFT_CORNER, _NOSE_TIP, _CHIN = 33, 263, 4, 152
_UPPER_LIDS = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (362, 398, 384, 385, 386, 387, 388, 466, 263))
_LOWER_LIDS = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (362, 382, 381, 380, 374, 373, 390, 249, 263))
_INNER_UPPER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
_INNER_LOWER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
_BROWS = (105, 66, 334, 296)

LID_TO_BROW = 0.17
"""How far above the lid the skin takes part in a blink."""
JAW, NECK = 1.9, 0.6
"""How far the jaw reaches, in half widths of the mouth, and how much below the chin gives way to it."""
CLOSED = 0.88
"""Of an eye that blinks: what is left looks like a lash line."""


@dataclass(frozen=True, slots=True)
class Expression:
    """Time courses, [T] each; all zeros do nothing."""

    yaw: NDArray[np.float64]
    """How far the nearest part of the head moves to the right, as the head turns"""
    pitch: NDArray[np.float64]
    shift_x: NDArray[np.float64]
    """How far the head moves against the background"""
    shift_y: NDArray[np.float64]
    brows: NDArray[np.float64]
    """How far they go up"""
    blink: NDArray[np.float64]
    """Share of the eye's opening that is closed, 0 to `CLOSED`"""
    mouth: NDArray[np.float64]
    """How far the lower lip goes down"""

    def at(self, index: int) -> dict[str, float]:
        """All values of one frame."""
        return {field.name: float(getattr(self, field.name)[index]) for field in fields(self)}


def sample_expression(rng: np.random.Generator, frames: int) -> Expression:
    """Draw what the face does; each of it is missing from many clips."""
    none = np.zeros(frames)
    time = np.arange(frames)
    turning, drifting, lifting, blinking, talking = rng.random(5) < (0.5, 0.4, 0.25, 0.25, 0.45)
    lift = 0.05 * (1 + np.sin(rng.uniform(0, 2 * np.pi) + rng.uniform(0.1, 0.4) * time))
    # A blink closes within three frames and opens within five.
    since = time - rng.uniform(-5, frames)
    closed = np.clip(np.minimum((since + 3) / 3, 1 - since / 5), 0, 1)
    syllable = 1 - np.cos(rng.uniform(0, 2 * np.pi) + rng.uniform(0.4, 1.1) * time)
    return Expression(
        yaw=_bounded(0.025 * swing(rng, frames), 0.14) if turning else none,
        pitch=_bounded(0.015 * swing(rng, frames), 0.1) if turning else none,
        shift_x=_bounded(0.02 * swing(rng, frames), 0.12) if drifting else none,
        shift_y=_bounded(0.012 * swing(rng, frames), 0.08) if drifting else none,
        brows=lift if lifting else none,
        blink=CLOSED * closed if blinking else none,
        mouth=0.5 * rng.uniform(0.03, 0.13) * syllable if talking else none,
    )


class FaceShape:
    """The measures of one still's face that its movements need."""

    def __init__(self, landmarks: Floats) -> None:
        """Take landmarks [468, 2] in pixels of the still."""
        right, left = landmarks[_RIGHT_CORNER], landmarks[_LEFT_CORNER]
        self._origin, axis = (right + left) / 2, left - right
        self._unit = max(1.0, float(np.hypot(*axis)))
        across = axis / self._unit
        self._axes = np.array([across, [-across[1], across[0]]], np.float32)
        points = self.inside(landmarks)
        oval = points[list(FACE_OVAL)]
        self._centre = (oval.min(axis=0) + oval.max(axis=0)) / 2
        self._radii = (oval.max(axis=0) - oval.min(axis=0)) / 2
        self._nose, self._chin, self._brows = points[_NOSE_TIP], points[_CHIN], points[list(_BROWS)].mean(axis=0)
        self._lids = [(points[list(u)], points[list(w)]) for u, w in zip(_UPPER_LIDS, _LOWER_LIDS, strict=True)]
        upper, lower = self._lips = points[list(_INNER_UPPER_LIP)], points[list(_INNER_LOWER_LIP)]
        # Of teeth there is only what the still shows, and they must not grow long.
        self._toothless = 1 - np.clip(float((_along(lower, upper[:, 0]) - upper[:, 1]).max()) / 0.08, 0, 1)

    def inside(self, pixels: Floats) -> Floats:
        """Pixels [..., 2] of the still in the face's own units."""
        return np.asarray((pixels - self._origin) @ self._axes.T / np.float32(self._unit), np.float32)

    def outside(self, points: Floats) -> Floats:
        """The face's own units in pixels of the still."""
        return np.asarray(points * np.float32(self._unit) @ self._axes + self._origin, np.float32)

    def origins(self, pixels: Floats, frame: dict[str, float]) -> tuple[Floats, Floats | None]:
        """Where what is seen comes from in the still, in its pixels.

        Args:
            pixels: [..., 2] of the still's own grid, as if the face did nothing.
            frame: What the face does, as `Expression.at` tells.

        Returns:
            [..., 2], and how far the inside of a mouth is seen instead, [...] in 0..1: a still knows none. None where
            the mouth does not move.
        """
        if not any(frame.values()):
            return pixels, None
        points = self.inside(pixels)
        x, y = points[..., 0].copy(), points[..., 1].copy()
        if frame["shift_x"] or frame["shift_y"]:
            # Everything as far as the hair goes along; beyond it the wall stretches.
            far = np.hypot((x - self._centre[0]) / self._radii[0], (y - self._centre[1]) / self._radii[1])
            along = _smooth(np.clip((2.6 - far) / 1.3, 0, 1))
            x, y = x - frame["shift_x"] * along, y - frame["shift_y"] * along
        if frame["yaw"] or frame["pitch"]:
            near = self._nearness(x, y)
            x, y = x - frame["yaw"] * near, y - frame["pitch"] * near
        if frame["brows"]:
            beside = np.exp(-(((x - self._brows[0]) / 0.75) ** 4) - ((y - self._brows[1]) / 0.2) ** 2)
            y = y + frame["brows"] * beside
        if frame["blink"]:
            y = self._blinked(x, y, frame["blink"])
        inside = None
        if frame["mouth"]:
            y, inside = self._opened(x, y, frame["mouth"])
        return self.outside(np.stack([x, y], axis=-1)), inside

    def _nearness(self, x: Floats, y: Floats) -> Floats:
        """How far to the front a point of the head is: 0 at its outline, 1 at the tip of the nose."""
        off = ((x - self._centre[0]) / (1.3 * self._radii[0])) ** 2 + (
            (y - self._centre[1]) / (1.35 * self._radii[1])
        ) ** 2
        nose = np.exp(-((x - self._nose[0]) ** 2 + (y - self._nose[1]) ** 2) / (2 * 0.22**2))
        return np.asarray(0.75 * np.clip(1 - off, 0, 1) ** 1.5 + 0.25 * nose)

    def _blinked(self, x: Floats, y: Floats, share: float) -> Floats:
        """The upper lid comes down over the share of the opening, and pulls the skin above it along."""
        out = y.copy()
        for upper, lower in self._lids:
            some = (x > upper[0, 0]) & (x < upper[-1, 0]) & (np.abs(y - upper[:, 1].mean()) < 2 * LID_TO_BROW)
            column, row = x[some], y[some]
            lid, rim = _along(upper, column), _along(lower, column)
            rim = np.maximum(rim, lid + 1e-6)
            down, top = lid + share * (rim - lid), lid - LID_TO_BROW
            skin = top + (row - top) * (lid - top) / (down - top)
            eye = rim - (rim - row) / (1 - share)
            out[some] = np.where((row > top) & (row < down), skin, np.where((row >= down) & (row < rim), eye, row))
        return out

    def _opened(self, x: Floats, y: Floats, gap: float) -> tuple[Floats, Floats]:
        """The jaw goes down from the line between the lips; the skin below the chin gives way."""
        upper, lower = self._lips
        middle, half = (upper[0, 0] + upper[-1, 0]) / 2, max(0.1, (upper[-1, 0] - upper[0, 0]) / 2)
        out, inside = y.copy(), np.zeros_like(y)
        some = (np.abs(x - middle) < JAW * half) & (y > upper[:, 1].min() - 0.1) & (y < self._chin[1] + NECK)
        column, row = x[some], y[some]
        off, line = np.abs(column - middle) / half, _along(upper, column) - np.float32(0.005)
        fall = gap * (0.3 + 0.7 * self._toothless) * np.cos(off / JAW * np.pi / 2) ** 2
        lips = 0.025 + np.maximum(0, _along(lower, column) - _along(upper, column))
        # At the corners of the mouth nothing opens: there the whole cheek stretches.
        band = lips + 0.4 * np.minimum(1, off) ** 6
        chin = np.maximum(self._chin[1] - line, band + 0.05)
        below = row - line
        opened = below * band / (band + fall)
        give = chin + (below - chin - fall) * NECK / (NECK - fall)
        moved = np.where(below < band + fall, opened, np.where(below < chin + fall, below - fall, give))
        out[some] = np.where((below > 0) & (below < chin + NECK), line + moved, row)
        edge = lips * (band + fall) / band
        seen = _smooth(np.clip(4 * np.minimum(below, edge - below) / edge, 0, 1)) * (off < 1) * self._toothless
        inside[some] = seen * np.clip((edge - lips - 0.01) / 0.04, 0, 1)
        return out, inside


def _along(outline: Floats, x: Floats) -> Floats:
    """Height of an outline [N, 2], from left to right, at x."""
    return np.interp(x, outline[:, 0], outline[:, 1]).astype(np.float32)


def _smooth(ramp: Floats) -> Floats:
    return np.asarray(ramp * ramp * (3 - 2 * ramp))


def _bounded(way: NDArray[np.float64], most: float) -> NDArray[np.float64]:
    return np.asarray(most * np.tanh(way / most))
