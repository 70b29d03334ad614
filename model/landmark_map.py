"""The raster of 68 landmarks that the networks see instead of point coordinates."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from pipeline.landmarks import MIRRORED

_SHIFT = 5
"""Fractional bits of the coordinates handed to OpenCV: lines move by 1/32 px, so a blink is visible at 64 px."""

# Part of the face: first point, one past the last, closed, RGB. Colours of the paper's released rasters.
_PARTS = (
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


def draw(landmarks: Float[np.ndarray, "68 2"], size_px: int) -> UInt8[np.ndarray, "size size 3"]:
    """Return the landmarks as coloured, anti-aliased poly-lines on black.

    Args:
        landmarks: (x, y) in pixels of the `size_px` image, finite; parts outside the image are cut off.
        size_px: Side of the raster; lines are 2 px wide at 256 px and scale with it, 1 px at least.

    Raises:
        ValueError: A landmark is not finite.

    Source: the landmark images of Zakharov et al. 2019; differs in anti-aliasing, sub-pixel positions, and
    the inner lip drawn as a ring of its own.
    """
    if not np.isfinite(landmarks).all():
        raise ValueError("cannot draw landmarks that are not finite; choose frames whose `ok` is true")
    raster = np.zeros((size_px, size_px, 3), np.uint8)
    thickness = max(1, round(size_px / 128))
    fixed = np.rint(landmarks * (1 << _SHIFT)).astype(np.int32)
    for start, stop, closed, colour in _PARTS:
        cv2.polylines(raster, [fixed[start:stop, None]], closed, colour, thickness, cv2.LINE_AA, _SHIFT)
    return raster


def draw_all(landmarks: Float[np.ndarray, "frames 68 2"], size_px: int) -> UInt8[np.ndarray, "frames size size 3"]:
    """Return one raster for each frame; see `draw`."""
    if not len(landmarks):
        return np.zeros((0, size_px, size_px, 3), np.uint8)
    return np.stack([draw(points, size_px) for points in landmarks])


def mirror(landmarks: Float[np.ndarray, "frames 68 2"], size_px: int) -> Float[np.ndarray, "frames 68 2"]:
    """Return the landmarks of the horizontally flipped images."""
    flipped = landmarks[:, MIRRORED].copy()
    flipped[..., 0] = size_px - 1 - flipped[..., 0]
    return flipped
