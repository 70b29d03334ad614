"""How far the mouth is open."""

import numpy as np
from jaxtyping import Float

from pipeline.landmarks import mouth_openness


def mouth_openness_error(
    generated: Float[np.ndarray, "frames 68 2"],
    target: Float[np.ndarray, "frames 68 2"],
    size_px: int = 0,  # noqa: ARG001
) -> Float[np.ndarray, " frames"]:
    """Return how far the openness of the mouth is off, in inter-ocular distances; NaN where a face has none."""
    return np.asarray(np.abs(mouth_openness(generated).astype(np.float64) - mouth_openness(target)))
