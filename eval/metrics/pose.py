"""How the head is turned, and by how much it should have been."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from eval.features import FeatureCache, Frames
from eval.metrics.geometry import POSE_AXES, FaceFit, absent
from eval.metrics.measured import NO_FACE, TARGET_NO_FACE, Measured
from eval.specs.spec import MetricSpec

AXES = ("yaw", "pitch", "roll")


@dataclass(frozen=True, slots=True)
class PoseMetric:
    """Compares the head pose of generated and target frame, about some of the axes."""

    spec: MetricSpec
    fit: FaceFit
    axes: tuple[str, ...]

    def score(self, generated: Frames, target: Frames, cache: FeatureCache) -> Measured:
        """Return the mean error over the axes in degrees."""
        found, wanted = (cache.features(self.fit, frames)[:, -POSE_AXES:] for frames in (generated, target))
        places = [AXES.index(axis) for axis in self.axes]
        values = pose_error(found, wanted)[:, places].mean(axis=1)
        return Measured.of(values, {NO_FACE: absent(found), TARGET_NO_FACE: absent(wanted)})


def pose_error(
    generated_deg: Float[np.ndarray, "frames 3"], target_deg: Float[np.ndarray, "frames 3"]
) -> Float[np.ndarray, "frames 3"]:
    """Return the absolute error of yaw, pitch and roll in degrees, the short way round: 0 to 180."""
    gap = generated_deg.astype(np.float64) - target_deg
    return np.asarray(np.abs((gap + 180) % 360 - 180))
