"""The 68 face points: what they are called, how they move between image sizes, distances between them.

Points are (x, y) in pixels of the image they belong to, with the centre of the top-left pixel at (0, 0). NaN
means that the point was not found.
"""

import numpy as np
from jaxtyping import Float, Int

MESH_SCHEME = "ibug68-from-mesh468"
"""iBUG's 68 points read off the 468-vertex FaceMesh. Its chin lies a little above the true chin."""

IBUG_SCHEME = "ibug68"
"""The points as iBUG annotated them in 300-W: FAN's and dlib's."""

JAW = slice(0, 17)
RIGHT_EYE = slice(36, 42)
LEFT_EYE = slice(42, 48)
OUTER_EYE_CORNERS = (36, 45)

# fmt: off
MIRRORED = np.array([
    16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0,
    26, 25, 24, 23, 22, 21, 20, 19, 18, 17,
    27, 28, 29, 30, 35, 34, 33, 32, 31,
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55,
    64, 63, 62, 61, 60, 67, 66, 65,
])
# fmt: on
"""Where each of the 68 points comes from when the face is mirrored."""


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


def eye_openness(points: Float[np.ndarray, "*batch 68 2"]) -> Float[np.ndarray, "*batch"]:
    """Return the height of the eyes over their width, mean of both; about 0.3 open, below 0.15 shut.

    NaN where the corners of an eye coincide.

    Source: the eye aspect ratio of Soukupova and Cech, "Real-Time Eye Blink Detection using Facial Landmarks" (2016).
    """
    ratios = []
    for start in (RIGHT_EYE.start, LEFT_EYE.start):
        eye = [points[..., start + place, :] for place in range(6)]
        heights = np.linalg.norm(eye[1] - eye[5], axis=-1) + np.linalg.norm(eye[2] - eye[4], axis=-1)
        ratios.append(_over(heights, 2 * np.linalg.norm(eye[0] - eye[3], axis=-1)))
    return np.asarray((ratios[0] + ratios[1]) / 2)


def mouth_openness(points: Float[np.ndarray, "*batch 68 2"]) -> Float[np.ndarray, "*batch"]:
    """Return the gap between the inner lips over the distance of the outer eye corners; 0 is shut.

    NaN where those corners coincide.

    The eyes, not the mouth, give the scale, because a mouth that opens gets narrower.
    """
    gap = np.linalg.norm(points[..., 62, :] - points[..., 66, :], axis=-1)
    return _over(gap, interocular(points))


def _over(part: Float[np.ndarray, "*batch"], whole: Float[np.ndarray, "*batch"]) -> Float[np.ndarray, "*batch"]:
    """Return a fraction, NaN where the whole is nothing."""
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(part), np.nan, part.dtype), where=whole > 0))


def five_points(points: Float[np.ndarray, "68 2"]) -> Float[np.ndarray, "5 2"]:
    """Return eye centres, nose tip and mouth corners, image left first: the points ArcFace aligns by."""
    return np.stack([points[RIGHT_EYE].mean(axis=0), points[LEFT_EYE].mean(axis=0), points[30], points[48], points[54]])


def nearest(
    driving: Float[np.ndarray, "frames points 2"], support: Float[np.ndarray, "shots points 2"]
) -> Int[np.ndarray, " frames"]:
    """Return, for each driving set, the index of the support landmarks with the least mean distance."""
    gaps = np.linalg.norm(driving[:, None] - support[None], axis=-1)  # (frames, shots, points)
    return np.asarray(gaps.mean(axis=-1).argmin(axis=1))
