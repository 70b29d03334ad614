"""One picture of a person, cropped and marked like the frames of a clip."""

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from pipeline.backends import load_backend
from pipeline.config import PipelineConfig
from pipeline.crop import cut, tube
from pipeline.iris import load_iris
from pipeline.landmarks import transform
from weights.errors import HeadshotError


def read_still(
    path: Path, config: PipelineConfig
) -> tuple[UInt8[np.ndarray, "size size 3"], Float[np.ndarray, "points 2"]]:
    """Return the crop around the largest face of a picture, and its landmarks in pixels of the crop.

    The same backend and margins as for clips; orientation tags of photographs are obeyed. The landmarks are 68, with
    `config.gaze` followed by the centres of the right and of the left iris.

    Raises:
        HeadshotError: The file is no picture, or shows no face.
    """
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if pixels is None:
        raise HeadshotError(f"{path} cannot be read as a picture; give a JPEG, PNG, WebP or BMP file")
    backend = load_backend(config.backend, config.detector)
    faces = backend.find(pixels)
    if not faces:
        raise HeadshotError(
            f"{path} shows no face that could be found; give a picture with a larger or more frontal face"
        )
    (face,) = backend.refine([pixels], faces[:1])
    square = tube(face.box[None], pixels.shape[1], pixels.shape[0], config)
    found = face.points
    if config.gaze:
        found = np.concatenate([found, load_iris()(pixels, found).irises])
    points = transform(found, square.affine(config.size_px)).astype(np.float32)
    return cut(pixels, square, config.size_px), points
