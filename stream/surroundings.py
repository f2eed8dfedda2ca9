"""What is round the face: its tone and its grain, and the face put into it."""

from __future__ import annotations

from dataclasses import dataclass

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from stream.asked import Asked, LastAsked
from stream.face.crop import Crop
from stream.face.outline import Fading
from stream.frames.cut import CutBuffer, cut
from stream.frames.finer import Finer
from stream.frames.paste import Change, Room, add_square, differences, sides_within
from stream.frames.pixels import copy_frame, is_full_range
from stream.frames.planes import Planes
from stream.frames.replace import replaced
from stream.noise.frame import FrameNoise
from stream.prompt import HAZE, LEAST, LIGHT, NOISE, RAIN, Weights
from stream.tiles.restorer import TileRestorer
from stream.timing import Stages
from stream.tone.estimate import LightChange, generators_change
from stream.tone.frame import TONE, FrameTone

STAGES = "grain", "tone", "tiles", "paste"
"""In their order; each counts where it changed the frame, and else adds to the next one."""


@dataclass(frozen=True, slots=True)
class Time:
    """What there is time for on a frame."""

    grain: bool = True
    tiles: bool = True


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
        self.time = Time()
        """For the next frame"""
        self.tone = FrameTone(prompts)
        self.noise = FrameNoise()
        self._fading = Fading()
        self._places = {name: place for place, name in enumerate(prompts)}
        self._noise = prompts.index(NOISE) if NOISE in prompts else None
        self._tiles = tiles
        self._asked = LastAsked(prompts)
        self._strength = 1.0
        """Under which the last face was restored"""
        self._room, self._finer = Room(0), Finer()

    def without_face(
        self, frame: av.VideoFrame, planes: Planes, wanted: Weights | None, strength: float, stages: Stages
    ) -> av.VideoFrame:
        """The frame as it was with its face: a head that is turned away must not darken the room.

        Args:
            frame: Only read.
            planes: Its 8-bit planes.
            wanted: Prompt weights [P]; None for auto.
            strength: Above 0, up to 1.
            stages: Gets the times of `STAGES`.
        """
        full_range, tiles = is_full_range(frame), self._tiles_in_time()
        look = None if tiles is None else lambda: _first_look(tiles, planes, full_range, len(self._places))
        asked = self._asked.without_face(wanted, strength, look)
        around = planes
        if asked is None:
            self.noise.forget()
        else:
            around = self._without_grain(planes, asked, stages)
        if self.tone.on:
            self.tone.look(planes, full_range)
            self.tone.stay(*self._light_kept(asked))
            around = self.tone.planes(around, full_range)
            stages.done("tone")
        if asked is not None and tiles is not None:
            around = self._with_tiles(tiles, planes, around, full_range, None, asked, stages)
        if around is planes:
            return frame
        out = replaced(frame, planes, around)
        stages.done("paste")
        return out

    def knows(self, planes: Planes, full_range: bool) -> bool:
        """Look at a frame: whether it shows the scene that the tone is of."""
        self.tone.look(planes, full_range)
        return self.tone.now is not None

    def lit(self, crop: CutBuffer, change: LightChange, prompt: Weights, strength: float) -> CutBuffer | None:
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
        self._asked.with_face(asked)
        self._strength = asked.strength
        if self._room.edge != len(face.y):
            self._room = Room(len(face.y))
        crop, full_range = face.crop, is_full_range(frame)
        bare = self._without_grain(planes, asked, stages)
        around, detail = self._toned(planes, bare, face, full_range, asked)
        if around is not bare:
            stages.done("tone")
        tiles = self._tiles_in_time()
        if tiles is not None:
            toned = around
            around = self._with_tiles(tiles, planes, toned, full_range, face.landmarks, asked, stages)
            if around is not toned:
                # The tiles' work makes way for the face's own.
                without, tiled = _cut(toned, crop, full_range), _cut(around, crop, full_range)
                theirs = differences(without, tiled.y[0, 0], tiled.uv[0])
                detail = [ours - part for ours, part in zip(detail, theirs, strict=True)]
        room, share = self._room, self._noise_asked(asked.prompt)
        if crop.size > crop.graph and share > 0:
            detail, room = self._finer(detail, around, crop, full_range, share), self._finer.room
        out = copy_frame(frame) if around is planes else replaced(frame, planes, around)
        sides = sides_within(frame, crop.x, crop.y, crop.size)
        fading = self._fading(crop, face.landmarks, face.y, face.uv, sides)
        add_square(out, crop.x, crop.y, crop.size, detail, fading, room)
        stages.done("paste")
        return out

    def _toned(
        self, planes: Planes, around: Planes, face: Restored, full_range: bool, asked: Asked
    ) -> tuple[Planes, list[Change]]:
        """What is round the face under the frame's tone, and what the face is to be on top of that.

        Args:
            planes: As they came.
            around: Without grain.
            face: What the generator made of it.
            full_range: Whether the planes use 0..255.
            asked: What for.
        """
        crop, size = face.crop, (planes.width, planes.height)
        if face.toned:
            around = self.tone.planes(around, full_range)
            return around, differences(_cut(around, crop, full_range), face.y, face.uv, self._room)
        # What is pasted is added to what is there by then.
        base = face.before if around is planes else _cut(around, crop, full_range)
        if not self.tone.idle(asked.prompt):
            change = generators_change((face.before.y[0, 0], face.before.uv[0]), (face.y, face.uv))
            self.tone.look(planes, full_range)
            self.tone.learn(change, asked.prompt, asked.strength)
            detail = self.tone.detail(base, face.y, face.uv, change)
            self.tone.spread(detail, crop, size, asked.prompt)
            if self.tone.on:
                detail = self.tone.beyond(detail, base, crop, size)
                return self.tone.planes(around, full_range), detail
        return around, differences(base, face.y, face.uv, self._room)

    def _tiles_in_time(self) -> TileRestorer | None:
        """None where there is no time for them, either; what they remember then is of the past."""
        if self._tiles is not None and not self.time.tiles:
            self._tiles.forget()
        return self._tiles if self.time.tiles else None

    def _with_tiles(
        self,
        tiles: TileRestorer,
        planes: Planes,
        around: Planes,
        full_range: bool,
        landmarks: NDArray[np.float32] | None,
        asked: Asked,
        stages: Stages,
    ) -> Planes:
        """The planes with what the generator makes of all that tone and the filter for grain leave.

        Args:
            tiles: The generator.
            planes: As they came.
            around: In the right light, without grain where that is taken away.
            full_range: Whether they use 0..255.
            landmarks: [468, 2] of the face, px.
            asked: What for.
            stages: Gets the time.
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
        given, prompt = (self.tone.planes(planes, full_range), left) if grain_alone else (around, rest)
        made = tiles.step(given, full_range, landmarks, prompt, asked.strength)
        out = tiles.add(given, [differences(tile.before, tile.y, tile.uv) for tile in made], full_range)
        stages.done("tiles")
        return self.noise.blend(around, out) if grain_alone else out

    def _light_kept(self, asked: Asked | None) -> tuple[float, float]:
        """How much of the last face's light, and of the haze taken away with it, is still wanted: 0..1 each."""
        if asked is None:
            return 1.0, 1.0
        share = min(1.0, asked.strength / self._strength)
        light, haze = (
            share if name in self._places and asked.prompt[self._places[name]] > 0 else 0.0 for name in (LIGHT, HAZE)
        )
        return light, haze

    def _noise_asked(self, prompt: Weights) -> float:
        """0..1, whether noise of any kind is to go."""
        asked = (float(prompt[self._places[name]]) for name in (NOISE, RAIN) if name in self._places)
        return min(1.0, max(asked, default=0.0) / LEAST)

    def _without_grain(self, planes: Planes, asked: Asked, stages: Stages) -> Planes:
        """The very same planes where there is no grain, nobody asks, or there is no time."""
        if self._noise is None or asked.prompt[self._noise] <= 0 or not self.time.grain:
            self.noise.forget()
            return planes
        still = self.noise(planes, asked.in_words)
        if still is planes:
            return planes
        around = _between(planes, still, asked.strength)
        stages.done("grain")
        return around

    def new_scene(self) -> None:
        """The next frame shows another scene."""
        self.tone.forget()
        self._forget_frames()

    def forget_face(self) -> None:
        """Another face comes, or none."""
        self._fading.forget()

    def forget(self) -> None:
        """Frames between the last one and the next were not looked at; the light of the scene stays what it was."""
        self.forget_face()
        self._forget_frames()

    def _forget_frames(self) -> None:
        self._asked.forget()
        self.noise.forget()
        if self._tiles is not None:
            self._tiles.forget()

    def close(self) -> None:
        """Let go of what it holds."""
        if self._tiles is not None:
            self._tiles.close()


def _first_look(tiles: TileRestorer, planes: Planes, full_range: bool, prompts: int) -> Weights:
    """Estimates [P] of what a frame that nothing is known of needs."""
    made = tiles.step(planes, full_range, None, np.zeros(prompts, np.float32), 1.0)
    tiles.forget()
    return np.asarray(np.mean([tile.estimate for tile in made], axis=0), np.float32)


def _cut(planes: Planes, crop: Crop, full_range: bool) -> CutBuffer:
    buffer = CutBuffer(crop.graph)
    cut(planes, crop.x, crop.y, crop.size, full_range, buffer)
    return buffer


def _between(before: Planes, after: Planes, share: float) -> Planes:
    if share == 1.0:
        return after
    pairs = zip((before.y, before.u, before.v), (after.y, after.u, after.v), strict=True)
    return Planes(*(np.asarray(cv2.addWeighted(a, 1 - share, b, share, 0), np.uint8) for a, b in pairs))
