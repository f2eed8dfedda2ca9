"""What the generator makes of haze from place to place, carried on round the face.

One curve cannot tell near from far, and haze lies thicker over what is far. On the face's crop the generator can: what
it does there beyond the curve, averaged over large cells, is spread over the frame, fading with the distance. So the
crop does not stand out as a clear square in a room whose haze was taken for even. The cells are interpolated and added
to what is there, so edges stay where they are.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.face.crop import Crop
from stream.frames.planes import Planes
from stream.tone.curve import SPAN

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

Maps = NDArray[np.float32]
"""[3, rows, columns] levels of limited range to be added to Y, U and V"""


class Places:
    """The map of one stream; frames in order."""

    def __init__(self) -> None:
        self._maps: Maps | None = None

    def forget(self) -> None:
        """What comes next has nothing to do with what was."""
        self._maps = None

    @property
    def on(self) -> bool:
        """Whether there is anything to add."""
        return self._maps is not None and float(np.abs(self._maps).max()) > SEEN

    def learn(self, detail: list[NDArray[np.float32]], crop: Crop, size: tuple[int, int], share: float) -> None:
        """Follow what the generator did to the crop beyond the frame's curve.

        Args:
            detail: Of Y [G, G], U and V [G/2, G/2], in levels of limited range.
            crop: Where.
            size: Width and height of the frame, px.
            share: 0..1 how much of it the frame is to get.
        """
        if share <= 0 and self._maps is None:
            return
        wanted = np.float32(share) * spread(detail, crop, size)
        before = self._maps
        if before is None or before.shape != wanted.shape:
            self._maps = wanted
        else:
            self._maps = before + np.clip(np.float32(PACE) * (wanted - before), -MOST, MOST)

    def add(self, planes: Planes, full_range: bool) -> Planes:
        """New planes under the map; the very same where there is none."""
        if self._maps is None or not self.on:
            return planes
        scales = (255 / SPAN, 255 / 224, 255 / 224) if full_range else (1.0, 1.0, 1.0)
        toned = []
        for plane, cells, scale in zip((planes.y, planes.u, planes.v), self._maps, scales, strict=True):
            full = cv2.resize(cells * np.float32(scale), plane.shape[::-1], interpolation=cv2.INTER_LINEAR)
            toned.append(np.asarray(cv2.add(plane, full, dtype=cv2.CV_8U), np.uint8))
        return Planes(*toned)

    def beyond(
        self, detail: list[NDArray[np.float32]], crop: Crop, size: tuple[int, int]
    ) -> list[NDArray[np.float32]]:
        """The crop's detail less what `add` gives the frame there.

        Args:
            detail: As for `learn`.
            crop: Where.
            size: Width and height of the frame, px.
        """
        if self._maps is None or not self.on:
            return detail
        rows, columns = self._maps.shape[1:]
        left = []
        for plane, cells in zip(detail, self._maps, strict=True):
            step = crop.size / len(plane)
            # From a sample of the crop to the cell that lies there, both counted from their centres.
            along, down = columns / size[0], rows / size[1]
            way = np.array(
                [
                    [step * along, 0, (crop.x + step / 2) * along - 0.5],
                    [0, step * down, (crop.y + step / 2) * down - 0.5],
                ]
            )
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            part = cv2.warpAffine(cells, way, plane.shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
            left.append(np.asarray(cv2.subtract(plane, part), np.float32))
        return left


def spread(detail: list[NDArray[np.float32]], crop: Crop, size: tuple[int, int]) -> Maps:
    """Means of the detail over the crop's cells, carried on past its border and fading there."""
    x, y, fading = _places(crop, size)
    maps = []
    for plane in detail:
        # By powers of two first: averages at other ratios take several times as long.
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
