"""Frames in which there is no face to be measured."""

from dataclasses import dataclass

import numpy as np

from eval.features import FeatureCache, Frames
from eval.metrics.geometry import FaceLandmarks
from eval.metrics.measured import TARGET_NO_FACE, Measured
from eval.specs.spec import MetricSpec


@dataclass(frozen=True, slots=True)
class MissingFace:
    """Whether a generated frame lacks the face that its target has."""

    spec: MetricSpec
    landmarks: FaceLandmarks

    def score(self, generated: Frames, target: Frames, cache: FeatureCache) -> Measured:
        """Return 1 for a frame without a face and 0 for one with; the mean over frames is the rate."""
        absent, unknown = (np.isnan(cache.features(self.landmarks, side)).any(axis=1) for side in (generated, target))
        return Measured.of(absent.astype(np.float64), {TARGET_NO_FACE: unknown})
