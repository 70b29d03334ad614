"""What is worth knowing about a frame before trusting it."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

REFERENCE_PX = 64


def sharpness(crop: UInt8[np.ndarray, "size size 3"], box: Float[np.ndarray, " 4"]) -> float:
    """Return the variance of the Laplacian of the face, in squared grey levels; low means blurred.

    The face is brought to 64 pixels first, so that clips of different size can be compared.

    Args:
        crop: The stored picture.
        box: Face box in pixels of the crop.

    Source: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", 2000; differs in the fixed size.
    """
    size = crop.shape[0]
    x0, y0 = np.clip(np.floor(box[:2]), 0, size - 1).astype(int)
    x1, y1 = np.clip(np.ceil(box[2:]) + 1, 1, size).astype(int)
    grey = cv2.cvtColor(crop[y0:y1, x0:x1], cv2.COLOR_RGB2GRAY)
    method = cv2.INTER_AREA if min(grey.shape) > REFERENCE_PX else cv2.INTER_LINEAR
    face = cv2.resize(grey, (REFERENCE_PX, REFERENCE_PX), interpolation=method)
    return float(cv2.Laplacian(face, cv2.CV_32F).var())
