"""Clips from stills: pose, expression, morphs and moving light together, with the exact way of every pixel."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from training.expression import Expression, FaceShape, sample_expression
from training.faces import Picture
from training.flow import flow_back
from training.lookup import pixel_grid
from training.morph import Morph, mixed, sampled
from training.pose import sample_poses, swing

Floats = NDArray[np.float32]

LIVELY_SHARE, LIGHT_SHARE = 0.6, 0.25
"""Clips in which the face itself moves, and those in which the light does."""
_LOWER_LIP = 17
HALF_BELOW = 0.75
"""Scale below which a still is read at half its size: a strong reduction by cubic sampling alone would alias."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Frames of equal size with what is known about them."""

    frames: list[Picture]
    points: list[Floats] = field(default_factory=list)
    """[468, 2] landmarks per frame, pixels; none where no face is known"""
    places: list[Floats] = field(default_factory=list)
    """[h, w, 2] per frame, where in the still each pixel comes from; none in real clips"""
    insides: list[Floats | None] = field(default_factory=list)
    """[h, w] per frame in 0..1, how far the inside of a mouth is seen, which the still does not show"""


@dataclass(frozen=True, slots=True)
class Face:
    """A still with what is known of it."""

    still: Picture
    landmarks: Floats | None = None
    """[468, 2], pixels of the still"""
    other: Picture | None = None
    """The same person with another expression"""
    morph: Morph | None = None
    """Leads there"""


def animate(rng: np.random.Generator, face: Face, count: int, size: int) -> Clip:
    """A clip of `count` frames of size x size."""
    still, landmarks = face.still, face.landmarks
    poses = sample_poses(rng, count, (still.shape[0], still.shape[1]), size)
    half = float(np.sqrt(abs(np.linalg.det(poses[0][:2, :2])))) < HALF_BELOW
    lively = landmarks is not None and rng.random() < LIVELY_SHARE
    expression = sample_expression(rng, count) if lively else None
    shape = FaceShape(landmarks) if landmarks is not None and lively else None
    weights = _on_the_way(rng, count) if face.morph is not None and lively else np.zeros(count)
    light = _light(rng, count, size) if rng.random() < LIGHT_SHARE else None
    sources = [_half(p) if half else p for p in (still, face.other) if p is not None]
    grid = pixel_grid(size).reshape(-1, 1, 2)
    dark = _dark(still, landmarks) if landmarks is not None else np.zeros(3, np.float32)
    clip = Clip([])
    for index in range(count):
        back, weight = np.linalg.inv(poses[index].astype(np.float64)), float(weights[index])
        place, inside = np.asarray(cv2.perspectiveTransform(grid, back), np.float32).reshape(size, size, 2), None
        doing = _doing(expression, index, bool(weights.any()))
        if shape is not None:
            place, inside = shape.origins(place, doing)
        frame, place = _seen(sources, face.morph, place, weight, half)
        if inside is not None:
            frame = np.asarray(np.rint(frame + inside[..., None] * (dark - frame)), np.uint8)
        if light is not None:
            frame = np.asarray(np.clip(np.rint(frame * light[index]), 0, 255), np.uint8)
        clip.frames.append(frame)
        clip.places.append(place)
        clip.insides.append(inside)
        if landmarks is not None:
            clip.points.append(_moved(landmarks, poses[index], shape, doing, face.morph, weight))
    return clip


def clip_flow(clip: Clip, shown: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Motion between the frames that are shown one after another.

    Args:
        clip: Of T frames.
        shown: The frame shown at each instant; empty where each is its own.

    Returns:
        flow [T-1,2,h,w] and visible [T-1,1,h,w] as `flow_back` gives them: entry t leads from instant t+1 back to
        instant t. Light that moves is not in it. Where nothing is known, in real clips, nothing is visible.
    """
    order = shown or tuple(range(len(clip.frames)))
    height, width = clip.frames[0].shape[:2]
    flows = np.zeros((len(order) - 1, 2, height, width), np.float32)
    visible = np.zeros((len(order) - 1, 1, height, width), np.float32)
    for index, (before, now) in enumerate(zip(order[:-1], order[1:], strict=True)):
        if before == now:
            visible[index] = 1
        elif clip.places:
            flows[index], visible[index] = flow_back(clip.places[before], clip.places[now])
            inside = clip.insides[now]
            if inside is not None:
                visible[index] *= inside < 0.1
    return flows, visible


def _doing(expression: Expression | None, index: int, morphs: bool) -> dict[str, float]:
    """What the face does in a frame; a mouth that smiles into another still does not talk."""
    if expression is None:
        return {}
    return expression.at(index) | ({"mouth": 0.0} if morphs else {})


def _seen(
    sources: list[Picture], morph: Morph | None, place: Floats, weight: float, half: bool
) -> tuple[Picture, Floats]:
    """A frame, and where its pixels come from in the still."""
    if morph is not None and weight:
        return mixed(sources[0], sources[1], morph, place, weight, 0.5 if half else 1.0)
    return sampled(sources[0], place, 0.5 if half else 1.0), place


def _moved(
    landmarks: Floats,
    pose: Floats,
    shape: FaceShape | None,
    doing: dict[str, float],
    morph: Morph | None,
    weight: float,
) -> Floats:
    """Landmarks in a frame."""
    start = landmarks
    if morph is not None and weight:
        start = start + np.float32(weight) * morph.at(landmarks[None])[0]
    points = start
    if shape is not None and any(doing.values()):
        for _ in range(12):
            points = points + np.float32(0.5) * (start - shape.origins(points, doing)[0])
    return np.asarray(cv2.perspectiveTransform(points[None], pose)[0], np.float32)


def _on_the_way(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Weights [T] between two expressions: a smile takes ten to thirty frames to come or go."""
    where = (np.arange(count) - rng.uniform(0, count)) / rng.uniform(10, 30) + rng.uniform(-0.1, 1.1)
    ramp = np.clip(where, 0, 1)
    ramp = ramp * ramp * (3 - 2 * ramp)
    return np.asarray(ramp if rng.random() < 0.5 else 1 - ramp)


def _light(rng: np.random.Generator, count: int, size: int) -> Floats:
    """Gains [T, size, size, 3]: a lamp that moves, a screen whose colour changes."""
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32) / size - 0.5
    angle = rng.uniform(0, 2 * np.pi) + 0.1 * swing(rng, count)
    side, all_over = rng.uniform(0, 0.25), rng.uniform(0, 0.05)
    colour = rng.uniform(0.5, 1.0, 3)
    gains = []
    for turn, more in zip(angle, all_over * np.tanh(swing(rng, count)), strict=True):
        slope = side * (np.cos(turn) * columns + np.sin(turn) * rows)
        gains.append(1 + slope[..., None] + np.float32(more) * colour)
    return np.asarray(gains, np.float32)


def _dark(still: Picture, landmarks: Floats) -> Floats:
    """The colour of a mouth's inside, [3]: the lips' own, in the shadow."""
    column, row = np.clip(landmarks[_LOWER_LIP], 2, (still.shape[1] - 3, still.shape[0] - 3)).astype(int)
    lip = still[row - 2 : row + 3, column - 2 : column + 3].mean(axis=(0, 1))
    return np.asarray(0.3 * lip, np.float32)


def _half(picture: Picture) -> Picture:
    return np.asarray(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
