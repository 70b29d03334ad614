"""The raster of 68 landmarks, and of the irises if wanted, that the networks see instead of point coordinates."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from pipeline.landmarks import MIRRORED

_SHIFT = 5
"""Fractional bits of the coordinates handed to OpenCV: lines move by 1/32 px, so a blink is visible at 64 px."""

# Part of the face: first point, one past the last, closed, RGB. Colours of the paper's released rasters.
PARTS = (
    (0, 17, False, (255, 255, 255)),  # contour
    (17, 22, False, (255, 0, 0)),  # right brow
    (22, 27, False, (0, 255, 0)),  # left brow
    (27, 31, False, (0, 0, 255)),  # nose bridge
    (31, 36, False, (0, 0, 255)),  # nose base
    (36, 42, True, (255, 0, 255)),  # right eye
    (42, 48, True, (0, 255, 255)),  # left eye
    (48, 60, True, (255, 255, 0)),  # outer lip
    (60, 68, True, (255, 255, 0)),  # inner lip
)
_POINTS = (68, 70)
"""Without irises and with those of the right and of the left eye behind."""
_IRIS_COLOUR = (255, 128, 0)
_IRIS_SHARE = 1 / 85
"""Radius over the side of the raster: 3 px at 256, as large as an iris in a usual crop."""
_MIRRORED = {68: MIRRORED, 70: np.append(MIRRORED, (69, 68))}


def draw(landmarks: Float[np.ndarray, "points 2"], size_px: int) -> UInt8[np.ndarray, "size size 3"]:
    """Return the landmarks as coloured, anti-aliased poly-lines on black.

    Args:
        landmarks: (x, y) in pixels of the `size_px` image, finite; parts outside the image are cut off. 68, or 70
            with iris centres, which become filled discs.
        size_px: Side of the raster; lines are 2 px wide at 256 px and scale with it, 1 px at least.

    Raises:
        ValueError: A landmark is not finite, or their number is another.

    Source: the landmark images of Zakharov et al. 2019; differs in anti-aliasing, sub-pixel positions, the inner lip
    drawn as a ring of its own, and in the irises where there are any.
    """
    if not np.isfinite(landmarks).all():
        raise ValueError("cannot draw landmarks that are not finite; choose frames whose `ok` is true")
    if len(landmarks) not in _POINTS:
        raise ValueError(f"cannot draw {len(landmarks)} landmarks; a face has {_POINTS[0]}, with irises {_POINTS[1]}")
    raster = np.zeros((size_px, size_px, 3), np.uint8)
    thickness = max(1, round(size_px / 128))
    fixed = np.rint(landmarks * (1 << _SHIFT)).astype(np.int32)
    for start, stop, closed, colour in PARTS:
        cv2.polylines(raster, [fixed[start:stop, None]], closed, colour, thickness, cv2.LINE_AA, _SHIFT)
    radius = round(size_px * _IRIS_SHARE * (1 << _SHIFT))
    for iris in fixed[_POINTS[0] :].tolist():
        cv2.circle(raster, iris, radius, _IRIS_COLOUR, cv2.FILLED, cv2.LINE_AA, _SHIFT)
    return raster


def draw_all(landmarks: Float[np.ndarray, "frames points 2"], size_px: int) -> UInt8[np.ndarray, "frames size size 3"]:
    """Return one raster for each frame; see `draw`."""
    if not len(landmarks):
        return np.zeros((0, size_px, size_px, 3), np.uint8)
    return np.stack([draw(points, size_px) for points in landmarks])


def mirror(landmarks: Float[np.ndarray, "frames points 2"], size_px: int) -> Float[np.ndarray, "frames points 2"]:
    """Return the landmarks of the horizontally flipped images."""
    flipped = landmarks[:, _MIRRORED[landmarks.shape[1]]].copy()
    flipped[..., 0] = size_px - 1 - flipped[..., 0]
    return flipped
