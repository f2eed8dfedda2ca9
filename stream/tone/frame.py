"""The tone of one stream: looked for in each frame, followed, and applied to frame and crop alike."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.face.crop import Crop
from stream.frames.cut import CutBuffer
from stream.frames.levels import BLACK
from stream.frames.planes import Plane, Planes
from stream.prompt import HAZE, LEAST, LIGHT
from stream.tone.apply import halved, toned_luma, toned_planes
from stream.tone.curve import Tone
from stream.tone.estimate import LightChange, thumbnail_of, veil_left
from stream.tone.follow import follow
from stream.tone.places import EVERY, SEEN, Maps, Places

TONE = LIGHT, HAZE
"""Prompts that ask for tone."""
LEFT = 0.3
"""Share of the veil found after the generator that is taken away. It takes the haze away itself; what looks like a veil
then is mostly a light wall, and light clothes before it."""
STAYS = 0.5
"""Share of what can be seen below which a tone that is on goes off: at the very border it would flicker."""


class FrameTone:
    """Tone of one stream; frames in order, one thread at a time; `forget` where a scene ends."""

    def __init__(self, prompts: tuple[str, ...]) -> None:
        """Start with no tone; `prompts` is the order of the weights."""
        self._places = {name: index for index, name in enumerate(prompts)}
        self._thumbnail: NDArray[np.float32] | None = None
        self.now: Tone | None = None
        """What the last frame got; None before the first"""
        self._half: tuple[Plane, Plane] | None = None
        """Luma last looked at, and in chroma's size"""
        self._veil: tuple[float, ...] | None = None
        """Last found, and"""
        self._age = 0
        """for how many frames it counts."""
        self._haze = Places()
        self._crop = CutBuffer(0)
        self._kept: tuple[Tone, Maps | None] | None = None
        """Tone and map of the last face, once it is out of sight"""
        self.on = False
        """Whether there is any tone to apply"""

    def idle(self, weights: NDArray[np.float32]) -> bool:
        """Whether, under prompt weights [P], there is nothing to do; what is asked for later then fades in."""
        if any(self._asked(weights)) or self.on:
            return False
        self.now, self._thumbnail, self._half = Tone(), None, None
        self._haze.rest()
        return True

    def _asked(self, weights: NDArray[np.float32]) -> tuple[float, float]:
        """How much light and how much haze the prompt speaks of."""
        light, haze = (float(weights[self._places[n]]) if n in self._places else 0.0 for n in (LIGHT, HAZE))
        return light, haze

    def look(self, planes: Planes, full_range: bool) -> None:
        """See the next frame."""
        half = halved(planes.y, planes.u.shape)
        self._thumbnail, self._half = thumbnail_of(planes, full_range, half), (planes.y, half)

    def forget(self) -> None:
        """Another scene: the next tone is taken whole."""
        self.now = self._kept = self._veil = self._thumbnail = None
        self._haze.forget()
        self.on = False

    def _settle(self) -> None:
        """Say whether there is anything to apply: curve or map."""
        share = STAYS if self.on else 1.0
        self.on = self.now is not None and not (self.now.within(share) and self._haze.most <= share * SEEN)

    def learn(self, change: LightChange, weights: NDArray[np.float32], strength: float) -> None:
        """Follow what the generator did to the crop of the frame last looked at.

        Args:
            change: Of the generator, by `generators_change`.
            weights: [P] what it was prompted with.
            strength: 0..1.
        """
        assert self._thumbnail is not None
        light, haze = self._asked(weights)
        top = float(self._thumbnail[0].max()) - BLACK
        wanted = Tone(top=top)
        if light > 0 or haze > 0:
            wanted = Tone(change.sensible_gain, change.lift, top=top)
        if haze > 0:
            share = LEFT * strength * min(1.0, haze / LEAST)
            self._age += 1
            if self._veil is None or self._age >= EVERY:
                self._veil, self._age = veil_left(self._thumbnail, wanted), 0
            veil, contrast, tint_u, tint_v = (share * part for part in self._veil)
            wanted = replace(wanted, veil=veil, contrast=contrast, tint_u=tint_u, tint_v=tint_v)
        else:
            self._veil = None
        self.now, self._kept = follow(self.now, wanted), None
        self._settle()

    def stay(self, light: float, haze: float) -> None:
        """Keep what the last face got, while none is there to say anything: only highlights that come are bent.

        Args:
            light: 0..1 how much of the light is still wanted.
            haze: The same for what was taken away of haze.
        """
        if self.now is None or self._thumbnail is None:
            return
        if self._kept is None:
            self._kept = self.now, self._haze.maps
        tone, maps = self._kept
        top = float(self._thumbnail[0].max()) - BLACK
        line, veil = max(light, haze), haze
        wanted = Tone(
            gain=line * tone.gain,
            lift=line * tone.lift,
            veil=veil * tone.veil,
            contrast=veil * tone.contrast,
            tint_u=veil * tone.tint_u,
            tint_v=veil * tone.tint_v,
            top=top,
        )
        self.now = follow(self.now, wanted)
        if maps is not None:
            self._haze.follow(np.float32(haze) * maps)
        self._settle()

    def planes(self, planes: Planes, full_range: bool) -> Planes:
        """Planes under the tone; the very same where there is none."""
        if self.now is None or not self.on:
            return planes
        luma, half = self._half or (None, None)
        small = half if luma is planes.y and half is not None else halved(planes.y, planes.u.shape)
        return self._haze.add(toned_planes(planes, self.now, full_range, small), small, full_range)

    def crop(self, before: CutBuffer) -> CutBuffer | None:
        """A crop under the tone, good until the next call; None without one, or where a map of haze belongs to it."""
        if self.now is None or not self.on or self._haze.on:
            return None
        toned = toned_planes(Planes(before.y[0, 0], *before.uv[0]), self.now, False)
        if self._crop.y.shape != before.y.shape:
            self._crop = CutBuffer(len(toned.y))
        self._crop.y[0, 0], self._crop.uv[0, 0], self._crop.uv[0, 1] = toned.y, toned.u, toned.v
        return self._crop

    def detail(
        self, before: CutBuffer, y: NDArray[np.uint8], uv: NDArray[np.uint8], change: LightChange
    ) -> list[NDArray[np.float32]]:
        """What the generator did to the crop beyond its own line: under the tone, this alone is pasted.

        So the face and what is around it go through one curve, whatever the generator does to the light.

        Args:
            before: What the generator got.
            y: [G, G] what it made of it.
            uv: [2, G/2, G/2]
            change: The line that it did of its own.

        Returns:
            Changes of Y [G, G], U and V [G/2, G/2] in 8-bit levels.
        """
        assert self.now is not None
        contrast = math.exp(self.now.contrast)
        own = Tone(change.gain, change.lift).line(np.arange(256.0) - BLACK) + BLACK
        lined = cv2.LUT(before.y[0, 0], np.clip(np.rint(own), 0, 255).astype(np.uint8))
        detail = [cv2.addWeighted(y, contrast, lined, -contrast, 0, dtype=cv2.CV_32F)]
        # Chroma goes with luma, as exposure has it; the generator's own gain of it may be another, and stays out.
        colour = contrast * math.exp(change.colour)
        for after, old in zip(uv, before.uv[0], strict=True):
            plane = cv2.addWeighted(after, contrast, old, -colour, 0, dtype=cv2.CV_32F)
            detail.append(plane - np.float32(cv2.mean(plane)[0]))
        return [np.asarray(plane, np.float32) for plane in detail]

    def spread(
        self,
        detail: list[NDArray[np.float32]],
        crop: Crop,
        size: tuple[int, int],
        weights: NDArray[np.float32],
    ) -> None:
        """Carry what the generator does to haze from place to place on round the crop (`places.py`).

        Args:
            detail: Of the crop, by `detail`.
            crop: Where it is.
            size: Width and height of the frame, px.
            weights: [P] what the generator was prompted with.
        """
        self._haze.learn(detail, crop, size, min(1.0, self._asked(weights)[1] / LEAST))
        self._settle()

    def beyond(
        self, detail: list[NDArray[np.float32]], before: CutBuffer, crop: Crop, size: tuple[int, int]
    ) -> list[NDArray[np.float32]]:
        """What of the detail is still to be pasted on top of `planes`.

        Args:
            detail: Of the crop, by `detail`.
            before: The crop of the planes as `planes` gets them.
            crop: Where it is.
            size: Width and height of the frame, px.
        """
        if self.now is None or not self._haze.on:
            return detail
        y = before.y[0, 0]
        return self._haze.beyond(detail, toned_luma(y, self.now, False), halved(y, detail[1].shape), crop, size)
