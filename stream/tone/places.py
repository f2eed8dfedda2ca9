"""What the generator makes of haze from place to place, carried on round the face.

One curve cannot tell near from far, and haze lies thicker over what is far. On the face's crop the generator can: what
it does there beyond the curve, averaged over large cells, is spread over the frame, fading with the distance. So the
crop does not stand out as a clear square in a room whose haze was taken for even. The cells are interpolated and added
to what is there, so edges stay where they are; black and white, and what is close to them, give way less (`limits`).
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.face.crop import Crop
from stream.frames.levels import steps
from stream.frames.planes import Plane, Planes
from stream.tone.limits import NONE, Limits

ALONG = 16
"""Cells along the crop's edge."""
STEP = 16
"""Pixels of the frame to a cell of the map."""
REACH = 0.5
"""Crops' edges from the crop at which a share of 1/e is left."""
PACE, MOST = 0.1, 3.0
"""Share of the way to what is wanted that a frame goes, and levels at most."""
SEEN = 0.5
"""Levels up to which a map is as good as none."""
EVERY = 4
"""Frames from one look for haze to the next: all of it is followed slowly anyway."""
COARSE = 4
"""Samples of a crop to one that is looked up in the map; those between are interpolated."""

Maps = NDArray[np.float32]
"""[3, rows, columns] levels of limited range to be added to Y, U and V"""


class Places:
    """The map of one stream; frames in order."""

    def __init__(self) -> None:
        self._maps: Maps | None = None
        self._anew = True
        self._found: Maps | None = None
        """What was last seen on the crop, and"""
        self._size = 0, 0
        """of a frame of which size, and"""
        self._age = 0
        """for how many frames it counts."""
        self._luma, self._chroma, self._face = Limits(), Limits(), Limits()

    def forget(self) -> None:
        """What comes next has nothing to do with what was, and is taken whole."""
        self._maps, self._found, self._anew = None, None, True

    def rest(self) -> None:
        """Nobody asks for it; what is asked for later fades in."""
        self._maps, self._found, self._anew = None, None, False

    @property
    def most(self) -> float:
        """Levels that it adds or takes away at most."""
        return 0.0 if self._maps is None else float(np.abs(self._maps).max())

    @property
    def on(self) -> bool:
        """Whether there is anything to add."""
        return self.most > SEEN

    @property
    def maps(self) -> Maps | None:
        """As the last frame left it."""
        return self._maps

    def learn(self, detail: list[NDArray[np.float32]], crop: Crop, size: tuple[int, int], share: float) -> None:
        """Follow what the generator did to the crop beyond the frame's curve.

        Args:
            detail: Of Y [G, G], U and V [G/2, G/2], in levels of limited range.
            crop: Where.
            size: Width and height of the frame, px.
            share: 0..1 how much of it the frame is to get.
        """
        if share <= 0 and self._maps is None:
            self.rest()
            return
        self._age += 1
        if self._found is None or self._age >= EVERY or self._size != size:
            self._found, self._size, self._age = spread(detail, crop, size), size, 0
        wanted = np.float32(share) * self._found
        if self._anew:
            self._maps, self._anew = wanted, False
        else:
            self.follow(wanted)

    def follow(self, wanted: Maps) -> None:
        """Go a step towards another map."""
        before = self._maps
        if before is None:
            before = np.zeros_like(wanted)
        elif before.shape != wanted.shape:
            # The same scene in another resolution.
            rows, columns = wanted.shape[1:]
            before = np.stack([cv2.resize(cells, (columns, rows)) for cells in before])
        self._maps = before + np.clip(np.float32(PACE) * (wanted - before), -MOST, MOST)

    def add(self, planes: Planes, small: Plane, full_range: bool) -> Planes:
        """Planes under the map; the very same where there is none.

        Args:
            planes: Under the frame's curve.
            small: Luma before the curve, in chroma's size.
            full_range: Whether they use 0..255.
        """
        if not self.on or self._maps is None:
            return planes
        y, u, v = (_in_bytes(cells * np.float32(by)) for cells, by in zip(self._maps, steps(full_range), strict=True))
        self._luma.of_luma(planes.y, full_range)
        self._chroma.of_chroma(small, full_range)
        return Planes(self._luma.lay(planes.y, y), self._chroma.lay(planes.u, u), self._chroma.lay(planes.v, v))

    def beyond(
        self, detail: list[NDArray[np.float32]], luma: Plane, small: Plane, crop: Crop, size: tuple[int, int]
    ) -> list[NDArray[np.float32]]:
        """The crop's detail less what `add` gives the frame there.

        Args:
            detail: As for `learn`.
            luma: [G, G] of the crop under the frame's curve, in limited range.
            small: [G/2, G/2] the crop's luma before it.
            crop: Where.
            size: Width and height of the frame, px.
        """
        if not self.on or self._maps is None:
            return detail
        left = []
        for index, (plane, cells) in enumerate(zip(detail, self._maps, strict=True)):
            if index == 0:
                self._face.of_luma(luma, False)
            elif index == 1:
                self._face.of_chroma(small, False)
            given = self._face.given(_on_crop(_in_bytes(cells), len(plane), crop, size))
            left.append(np.asarray(cv2.addWeighted(plane, 1, given, -1, NONE, dtype=cv2.CV_32F), np.float32))
        return left


def _in_bytes(cells: NDArray[np.float32]) -> Plane:
    """Levels as `limits.py` has them. Whole ones: a plane has no others."""
    return np.asarray(np.clip(np.rint(cells) + NONE, 0, 255), np.uint8)


def _on_crop(cells: Plane, edge: int, crop: Crop, size: tuple[int, int]) -> Plane:
    """A map as it lies on the crop, of `edge` samples each way."""
    rows, columns = cells.shape
    coarse = -(-edge // COARSE)
    step = crop.size / coarse
    # From a sample of the crop to the cell that lies there, both counted from their centres.
    along, down = columns / size[0], rows / size[1]
    way = np.array(
        [
            [step * along, 0, (crop.x + step / 2) * along - 0.5],
            [0, step * down, (crop.y + step / 2) * down - 0.5],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    part = cv2.warpAffine(cells, way, (coarse, coarse), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(part, (edge, edge), interpolation=cv2.INTER_LINEAR), np.uint8)


def spread(detail: list[NDArray[np.float32]], crop: Crop, size: tuple[int, int]) -> Maps:
    """Means of the detail over the crop's cells, carried on past its border and fading there."""
    x, y, fading = _places(crop, size)
    maps = []
    for plane in detail:
        # By powers of two first: area means at any other ratio take several times as long.
        cells = cv2.resize(plane, (4 * ALONG, 4 * ALONG), interpolation=cv2.INTER_AREA)
        cells = cv2.GaussianBlur(cv2.resize(cells, (ALONG, ALONG), interpolation=cv2.INTER_AREA), (0, 0), 0.7)
        maps.append(cv2.remap(cells, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) * fading)
    return np.stack(maps)


@lru_cache(maxsize=8)
def _places(crop: Crop, size: tuple[int, int]) -> tuple[NDArray[np.float32], ...]:
    """For each cell of the frame: where it lies among the crop's cells, across and down, and how far it has faded."""
    columns, rows = (-(-length // STEP) for length in size)
    x, y = (((np.arange(n) + 0.5) * length / n) for n, length in ((columns, size[0]), (rows, size[1])))
    away = np.hypot(_outside(x, crop.x, crop.size)[None, :], _outside(y, crop.y, crop.size)[:, None])
    across, down = np.meshgrid((x - crop.x) * ALONG / crop.size - 0.5, (y - crop.y) * ALONG / crop.size - 0.5)
    fading = np.exp(-((away / (REACH * crop.size)) ** 2))
    return across.astype(np.float32), down.astype(np.float32), fading.astype(np.float32)


def _outside(at: NDArray[np.float64], start: int, length: int) -> NDArray[np.float64]:
    """How far positions lie before or behind a stretch."""
    return np.maximum(np.maximum(start - at, at - start - length), 0.0)
