"""Notice where a video jumps from one scene to another."""

from collections import deque
from enum import Enum

import cv2
import numpy as np
from jaxtyping import Float, UInt8

THUMBNAIL_PX = 32
SUDDEN_GREY, SUDDEN_TIMES = 4.0, 2.5
"""A mean change of grey level above the first, and so many times the largest of the half second before, may be a cut
between scenes that look alike. Four frames in 9,000 of the demo clips are, all of them fast movements; of the cuts
between two people in the studio of the GRID corpus, nearly all."""
USUAL_LEAST = 0.5
"""Of a still picture nothing more is known than that it changes less than this."""
REMEMBERED_FRAMES = 12


class Change(Enum):
    """What lies between two frames."""

    NONE = "none"
    SUDDEN = "sudden"
    """A cut between scenes that look alike, or a fast movement: who is seen may have changed."""
    CUT = "cut"


class CutDetector:
    """Compares each frame with the one before, both shrunk to 32 x 32 grey pixels."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._previous: Float[np.ndarray, "32 32"] | None = None
        self._usual: deque[float] = deque(maxlen=REMEMBERED_FRAMES)

    def change(self, rgb: UInt8[np.ndarray, "height width 3"]) -> Change:
        """Return what lies between the last picture and this one; a mean change above the threshold is a cut."""
        step = max(1, min(rgb.shape[:2]) // (4 * THUMBNAIL_PX))  # four samples across a cell are plenty
        sparse = np.ascontiguousarray(rgb[::step, ::step])
        small = cv2.resize(sparse, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
        previous, self._previous = self._previous, grey
        if previous is None:
            return Change.NONE
        grey_levels = float(np.abs(grey - previous).mean())
        if grey_levels > self._threshold:
            return Change.CUT
        usual = max((USUAL_LEAST, *self._usual))
        self._usual.append(grey_levels)
        return Change.SUDDEN if grey_levels > max(SUDDEN_GREY, SUDDEN_TIMES * usual) else Change.NONE
