"""The 68 face points: what they are called, how they move between image sizes, distances between them.

Points are (x, y) in pixels of the image they belong to, with the centre of the top-left pixel at (0, 0). NaN
means that the point was not found.
"""

import numpy as np
from jaxtyping import Float, Int

MESH_SCHEME = "ibug68-from-mesh468"
"""iBUG's 68 points read off the 468-vertex FaceMesh. Its chin lies a little above the true chin."""

JAW = slice(0, 17)
RIGHT_EYE = slice(36, 42)
LEFT_EYE = slice(42, 48)
OUTER_EYE_CORNERS = (36, 45)


def rescale(points: Float[np.ndarray, "*batch 2"], from_px: int, to_px: int) -> Float[np.ndarray, "*batch 2"]:
    """Return points of a square image of `from_px` pixels as points of the same image at `to_px` pixels."""
    return np.asarray((points + 0.5) * (to_px / from_px) - 0.5, points.dtype)


def transform(points: Float[np.ndarray, "*batch 2"], affine: Float[np.ndarray, "2 3"]) -> Float[np.ndarray, "*batch 2"]:
    """Return points after a 2 x 3 affine map."""
    return np.asarray(points @ affine[:, :2].T + affine[:, 2], points.dtype)


def interocular(points: Float[np.ndarray, "*batch 68 2"]) -> Float[np.ndarray, "*batch"]:
    """Return the distance between the outer eye corners in pixels (points 36 and 45 of iBUG's 68)."""
    right, left = OUTER_EYE_CORNERS
    return np.asarray(np.linalg.norm(points[..., left, :] - points[..., right, :], axis=-1))


def five_points(points: Float[np.ndarray, "68 2"]) -> Float[np.ndarray, "5 2"]:
    """Return eye centres, nose tip and mouth corners, image left first: the points ArcFace aligns by."""
    return np.stack([points[RIGHT_EYE].mean(axis=0), points[LEFT_EYE].mean(axis=0), points[30], points[48], points[54]])


def nearest(
    driving: Float[np.ndarray, "frames 68 2"], support: Float[np.ndarray, "shots 68 2"]
) -> Int[np.ndarray, " frames"]:
    """Return, for each driving set, the index of the support landmarks with the least mean distance."""
    gaps = np.linalg.norm(driving[:, None] - support[None], axis=-1)  # (frames, shots, 68)
    return np.asarray(gaps.mean(axis=-1).argmin(axis=1))
