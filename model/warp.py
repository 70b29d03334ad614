"""A frame bent so that its landmarks lie where other landmarks are."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

GRID_STEP_PX = 4
"""The spline is evaluated on every fourth pixel and interpolated between: a sixteenth of the work, same picture."""
STIFFNESS = 1e-3
"""Regularisation, in squared image sides: noise of a fraction of a pixel in a landmark does not fold the picture."""
ANCHORS_PER_SIDE = 5


def warp(
    frame: UInt8[np.ndarray, "size size 3"],
    landmarks: Float[np.ndarray, "points 2"],
    target: Float[np.ndarray, "points 2"],
    interpolation: int = cv2.INTER_LINEAR,
) -> UInt8[np.ndarray, "size size 3"]:
    """Return the frame with what lies at `landmarks` moved to `target`, the border held in place.

    What the frame does not show, such as an open mouth, is stretched from around it and not invented.

    Args:
        frame: RGB.
        landmarks: (x, y) in pixels of the frame, finite.
        target: Where they shall be.
        interpolation: Of OpenCV, between the pixels of the frame.

    Source: thin-plate splines, Bookstein 1989, with points along the border as fixed controls.
    """
    size = frame.shape[0]
    border = _border(size)
    sources = _backward(np.concatenate([target, border]) / size, np.concatenate([landmarks, border]) / size, size)
    bent = cv2.remap(frame, sources[..., 0], sources[..., 1], interpolation, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(bent, np.uint8)


def _backward(
    controls: Float[np.ndarray, "points 2"], values: Float[np.ndarray, "points 2"], size: int
) -> Float[np.ndarray, "size size 2"]:
    """Return for each pixel of the result where it comes from, in pixels; controls and values are in image sides."""
    count = len(controls)
    flat = np.concatenate([np.ones((count, 1)), controls], axis=1)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _bending(controls, controls) + STIFFNESS * np.eye(count)
    system[:count, count:], system[count:, :count] = flat, flat.T
    weights = np.linalg.solve(system, np.concatenate([values, np.zeros((3, 2))]))
    ticks = np.arange(0, size + GRID_STEP_PX, GRID_STEP_PX)
    grid = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2) / size
    found = _bending(grid, controls) @ weights[:count] + weights[count] + grid @ weights[count + 1 :]
    coarse = (found * size).reshape(len(ticks), len(ticks), 2).astype(np.float32)
    pixels = np.arange(size, dtype=np.float32) / GRID_STEP_PX
    across, down = np.meshgrid(pixels, pixels)
    return np.asarray(cv2.remap(coarse, across, down, cv2.INTER_LINEAR), np.float32)


def _bending(
    points: Float[np.ndarray, "rows 2"], controls: Float[np.ndarray, "columns 2"]
) -> Float[np.ndarray, "rows columns"]:
    """Return the spline's kernel r^2 log r^2 between all pairs."""
    squared: np.ndarray = ((points[:, None] - controls[None]) ** 2).sum(axis=2)
    kernel: np.ndarray = squared * np.log(squared + 1e-12)
    return kernel


def _border(size: int) -> Float[np.ndarray, "points 2"]:
    """Return points along the four sides of the image."""
    along = np.linspace(0, size - 1, ANCHORS_PER_SIDE)
    low, high = np.zeros_like(along), np.full_like(along, size - 1)
    sides = [(along, low), (along, high), (low[1:-1], along[1:-1]), (high[1:-1], along[1:-1])]
    return np.concatenate([np.stack(side, axis=1) for side in sides])
