"""Whether a face moved as the driver's did, whatever its proportions."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from eval.features import FeatureCache, Frames
from eval.metrics.geometry import FaceLandmarks, absent
from eval.metrics.measured import NO_FACE, TARGET_NO_FACE, Measured
from eval.specs.spec import MetricSpec


@dataclass(frozen=True, slots=True)
class MovementError:
    """Landmark error between two people, each against their own mean face."""

    spec: MetricSpec
    landmarks: FaceLandmarks

    def score(self, generated: Frames, target: Frames, cache: FeatureCache) -> Measured:
        """Return the error of each frame in radii of the face; the frames are those of one task."""
        found = self.landmarks.of(generated, cache)
        wanted = self.landmarks.of(target, cache)
        missing = {NO_FACE: absent(found), TARGET_NO_FACE: absent(wanted)}
        return Measured.of(movement_error(found, wanted), missing)


def movement_error(
    generated: Float[np.ndarray, "frames points 2"], driving: Float[np.ndarray, "frames points 2"]
) -> Float[np.ndarray, " frames"]:
    """Return the mean distance between the points of two moving faces, each relative to its own mean.

    Args:
        generated: Points in pixels; NaN where there is no face.
        driving: Points of the driver in the same frames, in pixels of whatever size.

    Returns:
        Fractions of the face's radius; NaN where either has no face.
    """
    seen = ~(np.isnan(generated).any(axis=(1, 2)) | np.isnan(driving).any(axis=(1, 2)))
    errors = np.full(len(generated), np.nan)
    if seen.any():
        gaps = _movement(generated[seen]) - _movement(driving[seen])
        errors[seen] = np.linalg.norm(gaps, axis=-1).mean(axis=-1)
    return errors


def _movement(points: Float[np.ndarray, "frames points 2"]) -> Float[np.ndarray, "frames points 2"]:
    """Return shapes of unit size around the origin, minus their mean over the frames."""
    centred = points.astype(np.float64) - points.mean(axis=1, keepdims=True, dtype=np.float64)
    shapes = centred / np.sqrt(np.mean(np.sum(centred**2, axis=-1), axis=1))[:, None, None]
    return np.asarray(shapes - shapes.mean(axis=0))
