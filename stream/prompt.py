"""What the caller asks for, as the weights that the generator is prompted with."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engines.errors import BadInput
from stream.words import understand

AUTO, NONE = "auto", "none"
NOISE, RAIN, LIGHT, HAZE = "noise", "rain", "low light", "haze"
"""Tasks that the frame around the face is corrected for, too"""
SMOOTHING = 0.1
"""Share of the newest estimate in the slow average that auto follows: about ten frames of memory."""
DEAD_ZONE = 0.1
"""Estimates start to count from here on."""
DOUBTFUL, SURE = 0.2, 0.35
"""Up to the first, estimates are taken for nothing: good video must come out untouched. What is there was given at
least 0.25 in training; an estimate of less says that perhaps there is something, and to light what is not dark costs
most."""
GATES = {LIGHT: (0.25, 0.45)}
"""The same for tasks with a gate of their own: dark hair, clothes and skin are easily taken for a dark room, and a face
that is made lighter than it is is worse than a dusk that stays."""
SHOWN = 40
"""Characters of a wrong prompt that an error repeats."""

WHOLE, LEAST = 1.0, 0.25
"""A weight of 1 leaves it to the picture how strongly a task is there, but for so little at the least: the weight of
what is there most faintly in training."""

Weights = NDArray[np.float32]


def parse_prompt(text: str, known: tuple[str, ...]) -> Weights | None:
    """Weights [P] in the order of `known`; None for auto.

    A prompt is `auto`, `none`, or task names joined by commas or plus signs, each with an optional weight from 0 to 1
    behind a colon: `noise`, `low light + noise:0.5`; without one, or at 1, it is as much as the picture needs. Anything
    else is read as plain words: `my room is a bit dark`.

    Raises:
        BadInput: No task is named or meant, or a weight is no number from 0 to 1.
    """
    if _plain(text) == AUTO:
        return None
    weights = np.zeros(len(known), np.float32)
    if _plain(text) == NONE:
        return weights
    names = {_plain(name): index for index, name in enumerate(known)}
    parts = [part.partition(":") for part in re.split(r"[,+]", text)]
    if not any(_plain(name) in {*names, AUTO} for name, _, _ in parts):
        return _meant(text, known, text)
    for name, colon, amount in parts:
        plain = _plain(name)
        if plain in names:
            weights[names[plain]] = _weight(plain, amount) if colon else 1.0
        else:
            weights = np.maximum(weights, _meant(name, known, text))
    return weights


def _meant(words: str, known: tuple[str, ...], text: str) -> Weights:
    """Weights of what plain words, out of the prompt `text`, speak of; BadInput when that is nothing."""
    tasks = understand(words, known)
    if not tasks:
        shown = " ".join((words.strip() or text).split())[:SHOWN]
        raise BadInput(f"unknown prompt {shown!r}; known prompts: {', '.join(known)}, or {AUTO} or {NONE} alone")
    return np.array([tasks.get(task, 0.0) for task in known], np.float32)


def describe(weights: Weights | None, known: tuple[str, ...]) -> str:
    """What was understood, in the words of `parse_prompt`."""
    if weights is None:
        return AUTO
    named = [f"{name}:{weight:.2g}" for name, weight in zip(known, weights, strict=True) if weight > 0]
    return " + ".join(named) or NONE


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[_\-\s]+", " ", text.strip().lower()).split())


def _weight(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise BadInput(f"the weight of {name} must be a number from 0 to 1, not {text.strip()[:SHOWN]!r}")
    return value


def follow_estimate(average: Weights | None, estimate: Weights) -> Weights:
    """The slow average after one more estimate [P]; the first is taken as it is."""
    if average is None:
        return estimate.copy()
    return np.asarray(average + SMOOTHING * (estimate - average), np.float32)


@lru_cache(maxsize=8)
def gates(known: tuple[str, ...]) -> tuple[Weights, Weights]:
    """[P] estimates up to which nothing counts, and from which on all does."""
    pairs = [GATES.get(name, (DOUBTFUL, SURE)) for name in known]
    return np.array([low for low, _ in pairs], np.float32), np.array([high for _, high in pairs], np.float32)


def prompt_from_estimate(average: Weights, known: tuple[str, ...]) -> Weights:
    """What auto prompts with, 0..1 each: the average less the dead zone, faded in where it is doubtful.

    Args:
        average: [P] of the estimates, or [..., P].
        known: The prompts in their order.
    """
    doubtful, sure = gates(known)
    amount = np.clip((average - DEAD_ZONE) / (1.0 - DEAD_ZONE), 0.0, 1.0)
    return np.asarray(amount * np.clip((average - doubtful) / (sure - doubtful), 0.0, 1.0), np.float32)


def as_needed(wanted: Weights, average: Weights) -> Weights:
    """What a caller's prompt [P] means for a picture whose slow average of estimates is `average` [P].

    Who says that the room is dark does not say how dark: told of the darkest, the generator would make of dusk a
    burnt-out day.
    """
    return np.asarray(np.where(wanted == WHOLE, np.clip(average, LEAST, WHOLE), wanted), np.float32)
