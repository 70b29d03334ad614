"""The ArcFace crop: five points of a face moved onto a fixed template."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

CROP_PX = 112
ARCFACE_TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
"""Left eye, right eye, nose tip, left and right mouth corner (as seen in the image) in a 112-pixel crop."""


def arcface_crop(
    frame: UInt8[np.ndarray, "height width 3"], five_points: Float[np.ndarray, "5 2"]
) -> UInt8[np.ndarray, "112 112 3"]:
    """Return the aligned face, black beyond the frame.

    Args:
        frame: An image of any channel order, which is kept.
        five_points: Eye centres, nose tip and mouth corners, (x, y) in pixels.

    Source: equals `insightface.utils.face_align.norm_crop`.
    """
    matrix = similarity_transform(five_points, ARCFACE_TEMPLATE)
    return np.asarray(cv2.warpAffine(frame, matrix, (CROP_PX, CROP_PX), borderValue=0))


def similarity_transform(
    source: Float[np.ndarray, "points 2"], target: Float[np.ndarray, "points 2"]
) -> Float[np.ndarray, "2 3"]:
    """Return the rotation, scale and shift that move `source` onto `target` with the least squared error.

    Raises:
        ValueError: All source points coincide, so no scale is defined.

    Source: Umeyama 1991, equations 39 to 42; equals `skimage.transform.SimilarityTransform`.
    """
    mean_source, mean_target = source.mean(axis=0), target.mean(axis=0)
    centred, wanted = source - mean_source, target - mean_target
    spread = np.sum(centred**2)
    if spread == 0:
        raise ValueError("all points coincide; a similarity transform needs at least two different ones")
    u, singular, vt = np.linalg.svd(wanted.T @ centred)
    signs = np.array([1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = u @ np.diag(signs) @ vt
    scale = np.sum(singular * signs) / spread
    shift = mean_target - scale * rotation @ mean_source
    return np.column_stack([scale * rotation, shift])
