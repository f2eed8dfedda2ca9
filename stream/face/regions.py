"""Soft maps of the face's regions on the latent grid, from landmark polygons."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

REGION_NAMES = ("skin", "left_eye", "right_eye", "brows", "nose", "lips", "mouth", "rest")
"""Left and right are the person's own; mouth is what the open lips show; rest is all that is not the face."""

OVERSAMPLING = 4
_SUBPIXEL_BITS = 4

# Outlines in the numbering of MediaPipe's canonical face mesh.
FACE_OVAL = (
    (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377)
    + (152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)
)  # fmt: skip
LEFT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
LEFT_BROW = (276, 283, 282, 295, 285, 336, 296, 334, 293, 300)
RIGHT_BROW = (46, 53, 52, 65, 55, 107, 66, 105, 63, 70)
NOSE = (168, 122, 174, 198, 49, 48, 64, 98, 97, 2, 326, 327, 294, 278, 279, 420, 399, 351)
LIPS_OUTER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
LIPS_INNER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)

# Painted in this order, each over the ones before: what is painted last owns its pixels alone.
_OUTLINES = tuple(
    (REGION_NAMES.index(name), np.array(outline))
    for name, outline in (
        ("skin", FACE_OVAL),
        ("nose", NOSE),
        ("brows", LEFT_BROW),
        ("brows", RIGHT_BROW),
        ("left_eye", LEFT_EYE),
        ("right_eye", RIGHT_EYE),
        ("lips", LIPS_OUTER),
    )
)
_MOUTH = np.array(LIPS_INNER)
_UPPER_LIP, _LOWER_LIP = 13, 14
_HALF = len(REGION_NAMES) // 2


def region_maps(
    landmarks: NDArray[np.float32] | None, crop_x: float, crop_y: float, crop_size: float, grid: int
) -> NDArray[np.float32]:
    """How much of each cell each region covers.

    Args:
        landmarks: [468, 2] in frame pixels; None where no face is known.
        crop_x: Left edge of the crop in the frame, px.
        crop_y: Top edge.
        crop_size: Edge of the crop, px.
        grid: Cells along an edge of the crop.

    Returns:
        [8, grid, grid] in 0..1, in the order of `REGION_NAMES`, of sum 1 in each cell; all zeros without landmarks.
    """
    if landmarks is None:
        return np.zeros((len(REGION_NAMES), grid, grid), np.float32)
    edge = grid * OVERSAMPLING
    # A pixel's centre is a whole number to OpenCV, hence the half; a landmark far outside must not overflow.
    points = (landmarks - (crop_x, crop_y)) * (edge / crop_size) - 0.5
    fixed = np.rint(np.clip(points, -4 * edge, 5 * edge) * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    # OpenCV paints at most four channels at once: the regions lie in two images.
    images = [np.zeros((edge, edge, _HALF), np.uint8) for _ in range(2)]
    images[1][..., -1] = 255
    for region, outline in _OUTLINES:
        _paint(images, fixed[outline], {region: 255})
    # OpenCV also paints the outline, so a closed mouth would be a pixel thick: it is thinned by sharing with the lips.
    opening = 255 * min(1.0, float(np.linalg.norm(points[_UPPER_LIP] - points[_LOWER_LIP])))
    _paint(images, fixed[_MOUTH], {REGION_NAMES.index("lips"): 255 - opening, REGION_NAMES.index("mouth"): opening})
    maps = np.empty((len(REGION_NAMES), grid, grid), np.float32)
    for index, image in enumerate(images):
        cells = cv2.resize(image, (grid, grid), interpolation=cv2.INTER_AREA)
        maps[index * _HALF : (index + 1) * _HALF] = cells.transpose(2, 0, 1)
    maps /= maps.sum(axis=0)
    return maps


def _paint(images: list[NDArray[np.uint8]], polygon: NDArray[np.int32], shares: dict[int, float]) -> None:
    for index, image in enumerate(images):
        colour = [shares.get(channel + index * _HALF, 0) for channel in range(_HALF)]
        cv2.fillPoly(image, [polygon], colour, shift=_SUBPIXEL_BITS)
