"""What is round the face: its tone and its grain, and the face put into it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from stream.face.crop import Crop
from stream.face.decision import is_cut, thumbnail
from stream.face.outline import Fading
from stream.frames.cut import CutBuffer, cut
from stream.frames.finer import Finer
from stream.frames.paste import Room, add_square, differences, sides_within
from stream.frames.pixels import copy_frame, is_full_range
from stream.frames.planes import Planes
from stream.frames.replace import replaced
from stream.noise.frame import NOISE, FrameNoise
from stream.prompt import LEAST, WHOLE, Weights, as_needed, prompt_from_estimate
from stream.tiles.restorer import TileRestorer
from stream.timing import Stages
from stream.tone.estimate import Change, generators_change
from stream.tone.frame import HAZE, LIGHT, TONE, FrameTone

STAGES = "grain", "tone", "tiles", "paste"
"""In their order; each counts where it changed the frame, and else adds to the next one."""
RAIN = "rain"
"""A prompt whose changes are noise to the graph, too."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a frame was restored under."""

    prompt: Weights
    """[P]"""
    strength: float
    """Above 0, up to 1"""
    in_words: bool
    """Whether the prompt is a caller's own, and no estimate"""
    grain: bool = True
    """Whether there is time for the filter for grain"""
    spare: bool = True
    """Whether there is time for the tiles"""


@dataclass(frozen=True, slots=True)
class Restored:
    """A crop that went through the generator."""

    crop: Crop
    before: CutBuffer
    y: NDArray[np.uint8]
    """[G, G]"""
    uv: NDArray[np.uint8]
    """[2, G/2, G/2]"""
    landmarks: NDArray[np.float32]
    """[468, 2] of the face, px"""
    toned: bool = False
    """Whether it went through the frame's tone before"""


class Surroundings:
    """Of one stream; frames in order, one thread at a time."""

    def __init__(self, prompts: tuple[str, ...], tiles: TileRestorer | None = None) -> None:
        """Start with frames as they come.

        Args:
            prompts: The order of the weights.
            tiles: With them the generator restores the whole frame, from what tone and the filter for grain leave.
        """
        self.tone = FrameTone(prompts)
        self.noise = FrameNoise()
        self._fading = Fading()
        self._places = {name: place for place, name in enumerate(prompts)}
        self._noise = prompts.index(NOISE) if NOISE in prompts else None
        self._tiles = tiles
        self._asked: Asked | None = None
        """What for the last frame was restored, and"""
        self._estimated: Weights | None = None
        """the last prompt that an estimate made, both in this scene."""
        self._strength = 1.0
        """Under which the last face was restored"""
        self._seen: NDArray[np.float32] | None = None
        """Thumbnail of the last frame"""
        self._room, self._finer = Room(0), Finer()

    def without_face(
        self,
        frame: av.VideoFrame,
        planes: Planes,
        wanted: Weights | None,
        strength: float,
        stages: Stages,
        grain: bool = True,
        spare: bool = True,
    ) -> av.VideoFrame:
        """The frame as it was with its face: a head that is turned away must not darken the room.

        Args:
            frame: Only read.
            planes: Its 8-bit planes.
            wanted: Prompt weights [P]; None for auto.
            strength: Above 0, up to 1.
            stages: Gets the times of `STAGES`.
            grain: Whether there is time for the filter for grain.
            spare: Whether there is time for the tiles.
        """
        full_range, tiles = is_full_range(frame), self._tiles_in(spare)
        self._watch(planes)
        asked = self._asked_without_face(planes, full_range, wanted, strength, tiles)
        if asked is None:
            self.noise.forget()
            around = planes
        else:
            asked = replace(asked, strength=strength, grain=grain, spare=spare)
            around = self._without_grain(planes, asked)
            if around is not planes:
                stages.done("grain")
        if self.tone.on:
            self.tone.look(planes, full_range)
            self.tone.stay(*self._light_kept(asked))
            around = self.tone.planes(around, full_range)
            stages.done("tone")
        if asked is not None and tiles is not None:
            bare, toned = around, self.tone.planes(planes, full_range)
            around = self._with_tiles(tiles, around, toned, full_range, None, asked)
            if around is not bare:
                stages.done("tiles")
        if around is planes:
            return frame
        out = replaced(frame, planes, around)
        stages.done("paste")
        return out

    def knows(self, planes: Planes, full_range: bool) -> bool:
        """Look at a frame: whether it shows the scene that the tone is of."""
        self.tone.look(planes, full_range)
        return self.tone.now is not None

    def lit(self, crop: CutBuffer, change: Change, prompt: Weights, strength: float) -> CutBuffer | None:
        """The crop of the frame last looked at under its tone, which goes one step first; None while there is none.

        Args:
            crop: As it came.
            change: What the generator does to its light: where the tone goes.
            prompt: [P]
            strength: Above 0, up to 1.
        """
        self.tone.learn(change, prompt, strength)
        return self.tone.crop(crop)

    def with_face(
        self, frame: av.VideoFrame, planes: Planes, face: Restored, asked: Asked, stages: Stages
    ) -> av.VideoFrame:
        """A new frame: the face pasted, and what is round it restored where that is asked for and needed.

        Args:
            frame: Only read.
            planes: Its 8-bit planes.
            face: What the generator made of it.
            asked: What for.
            stages: Gets the times of `STAGES`.

        Raises:
            BadInput: The frame's pixel format is unknown.
            EngineError: The engine could not run on a tile.
        """
        self._watch(planes)
        self._asked, self._strength = asked, asked.strength
        if not asked.in_words:
            self._estimated = asked.prompt
        crop, full_range = face.crop, is_full_range(frame)
        around = self._without_grain(planes, asked)
        # What is pasted is added to what is there by then.
        base = face.before if around is planes else _cut(around, crop, full_range)
        if around is not planes:
            stages.done("grain")
        if self._room.edge != len(face.y):
            self._room = Room(len(face.y))
        detail = None
        if not face.toned and not self.tone.idle(asked.prompt):
            change = generators_change((face.before.y[0, 0], face.before.uv[0]), (face.y, face.uv))
            self.tone.look(planes, full_range)
            self.tone.learn(change, asked.prompt, asked.strength)
            detail = self.tone.detail(base, face.y, face.uv, change)
            self.tone.spread(detail, crop, (frame.width, frame.height), asked.prompt)
        if self.tone.on and detail is not None:
            detail = self.tone.beyond(detail, base, crop, (frame.width, frame.height))
            around = self.tone.planes(around, full_range)
            stages.done("tone")
        elif face.toned:
            around = self.tone.planes(around, full_range)
            detail = differences(_cut(around, crop, full_range), face.y, face.uv, self._room)
            stages.done("tone")
        else:
            detail = differences(base, face.y, face.uv, self._room)
        tiles = self._tiles_in(asked.spare)
        if tiles is not None:
            bare, toned = around, self.tone.planes(planes, full_range)
            around = self._with_tiles(tiles, around, toned, full_range, face.landmarks, asked)
            if around is not bare:
                # The tiles' work makes way for the face's own.
                without, tiled = _cut(bare, crop, full_range), _cut(around, crop, full_range)
                theirs = differences(without, tiled.y[0, 0], tiled.uv[0])
                detail = [ours - part for ours, part in zip(detail, theirs, strict=True)]
                stages.done("tiles")
        room, share = self._room, self._noise_asked(asked.prompt)
        if crop.size > crop.graph and share > 0:
            detail, room = self._finer(detail, around, crop, full_range, share), self._finer.room
        out = copy_frame(frame) if around is planes else replaced(frame, planes, around)
        sides = sides_within(frame, crop.x, crop.y, crop.size)
        fading = self._fading(crop, face.landmarks, face.y, face.uv, sides)
        add_square(out, crop.x, crop.y, crop.size, detail, fading, room)
        stages.done("paste")
        return out

    def _tiles_in(self, spare: bool) -> TileRestorer | None:
        """None where there is no time for them, either; what they remember then is of the past."""
        if self._tiles is not None and not spare:
            self._tiles.forget()
        return self._tiles if spare else None

    def _with_tiles(
        self,
        tiles: TileRestorer,
        around: Planes,
        toned: Planes,
        full_range: bool,
        landmarks: NDArray[np.float32] | None,
        asked: Asked,
    ) -> Planes:
        """The planes with what the generator makes of all that tone and the filter for grain leave.

        Args:
            tiles: The generator.
            around: In the right light, without grain where that is taken away.
            toned: The same with their grain.
            full_range: Whether they use 0..255.
            landmarks: [468, 2] of the face, px.
            asked: What for.
        """
        left = asked.prompt.copy()
        left[[place for name, place in self._places.items() if name in TONE]] = 0
        rest = left.copy()
        if self.noise.on and self._noise is not None:
            rest[self._noise] = 0
        if not left.any():
            tiles.forget()
            return around
        # Grain alone: the filter does what holds still better, and leaves what moves.
        grain_alone = self.noise.on and not rest.any()
        given, prompt = (toned, left) if grain_alone else (around, rest)
        made = tiles.step(given, full_range, landmarks, prompt, asked.strength)
        out = tiles.add(given, [differences(tile.before, tile.y, tile.uv) for tile in made], full_range)
        return self.noise.blend(around, out) if grain_alone else out

    def _watch(self, planes: Planes) -> None:
        """Another scene needs other things."""
        before, self._seen = self._seen, thumbnail(planes.y)
        if before is not None and is_cut(before, self._seen):
            self._asked = self._estimated = None

    def _asked_without_face(
        self, planes: Planes, full_range: bool, wanted: Weights | None, strength: float, tiles: TileRestorer | None
    ) -> Asked | None:
        """What a frame without a face is to be restored for: what the face was, unless something else is said now.

        None where nothing is known.
        """
        last = self._asked
        if wanted is None and last is not None and last.in_words and self._estimated is not None:
            last = Asked(self._estimated, strength, in_words=False)
        elif last is not None and not _is_for(last, wanted):
            # A word alone does not say how much: the tiles can tell, or it is as much as it was.
            unclear = wanted is None or (tiles is not None and bool((wanted == WHOLE).any()))
            last = None if wanted is None or unclear else Asked(as_needed(wanted, last.prompt), strength, in_words=True)
        if last is None and tiles is not None:
            last = self._first_look(tiles, planes, full_range, wanted, strength)
        self._asked = last
        if last is None and wanted is not None:
            return Asked(wanted, strength, in_words=True)
        return last

    def _light_kept(self, asked: Asked | None) -> tuple[float, float]:
        """How much of the last face's light, and of the haze taken away with it, is still wanted: 0..1 each."""
        if asked is None:
            return 1.0, 1.0
        share = min(1.0, asked.strength / self._strength)
        light, haze = (
            share if name in self._places and asked.prompt[self._places[name]] > 0 else 0.0 for name in (LIGHT, HAZE)
        )
        return light, haze

    def _first_look(
        self, tiles: TileRestorer, planes: Planes, full_range: bool, wanted: Weights | None, strength: float
    ) -> Asked:
        """What a picture without a face is to be restored under: what was said, and what its tiles seem to need."""
        if wanted is not None and not (wanted == WHOLE).any():
            return Asked(wanted, strength, in_words=True)
        nothing = np.zeros(len(self._places), np.float32)
        made = tiles.step(planes, full_range, None, nothing, strength)
        tiles.forget()
        mean = np.asarray(np.mean([tile.estimate for tile in made], axis=0), np.float32)
        prompt = prompt_from_estimate(mean, tuple(self._places)) if wanted is None else as_needed(wanted, mean)
        return Asked(prompt, strength, in_words=wanted is not None)

    def _noise_asked(self, prompt: Weights) -> float:
        """0..1, whether noise of any kind is to go."""
        asked = (float(prompt[self._places[name]]) for name in (NOISE, RAIN) if name in self._places)
        return min(1.0, max(asked, default=0.0) / LEAST)

    def _without_grain(self, planes: Planes, asked: Asked) -> Planes:
        """The very same planes where there is no grain, nobody asks, or there is no time."""
        if self._noise is None or asked.prompt[self._noise] <= 0 or not asked.grain:
            self.noise.forget()
            return planes
        still = self.noise(planes, asked.in_words)
        return planes if still is planes else _between(planes, still, asked.strength)

    def forget_face(self) -> None:
        """Another face comes, or none."""
        self._fading.forget()

    def forget(self) -> None:
        """Frames between the last one and the next were not looked at."""
        self.forget_face()
        self._asked = self._estimated = self._seen = None
        self.noise.forget()
        if self._tiles is not None:
            self._tiles.forget()

    def close(self) -> None:
        """Let go of what it holds."""
        if self._tiles is not None:
            self._tiles.close()


def _is_for(asked: Asked, wanted: Weights | None) -> bool:
    """Whether something was asked for as it is wanted now: in the same words, or by an estimate."""
    if wanted is None or not asked.in_words:
        return wanted is None and not asked.in_words
    return bool(np.array_equal(as_needed(wanted, asked.prompt), asked.prompt))


def _cut(planes: Planes, crop: Crop, full_range: bool) -> CutBuffer:
    buffer = CutBuffer(crop.graph)
    cut(planes, crop.x, crop.y, crop.size, full_range, buffer)
    return buffer


def _between(before: Planes, after: Planes, share: float) -> Planes:
    if share == 1.0:
        return after
    pairs = zip((before.y, before.u, before.v), (after.y, after.u, after.v), strict=True)
    return Planes(*(np.asarray(cv2.addWeighted(a, 1 - share, b, share, 0), np.uint8) for a, b in pairs))
