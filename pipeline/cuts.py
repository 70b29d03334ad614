"""Notice where a video jumps from one scene to another."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

THUMBNAIL_PX = 32


class CutDetector:
    """Compares each frame with the one before, both shrunk to 32 x 32 grey pixels."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._previous: Float[np.ndarray, "32 32"] | None = None

    def is_cut(self, rgb: UInt8[np.ndarray, "height width 3"]) -> bool:
        """Return whether the picture has nothing to do with the last one: mean change above the threshold."""
        step = max(1, min(rgb.shape[:2]) // (4 * THUMBNAIL_PX))  # four samples across a cell are plenty
        sparse = np.ascontiguousarray(rgb[::step, ::step])
        small = cv2.resize(sparse, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
        previous, self._previous = self._previous, grey
        return previous is not None and float(np.abs(grey - previous).mean()) > self._threshold
