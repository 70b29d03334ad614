"""What a metric returns: a value for each frame, or why there is none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float

from eval.features import Extractor, FeatureCache, Frames
from eval.metrics.members import Members
from eval.specs.spec import MetricSpec

OK = "ok"
NO_FACE = "no_face"
TARGET_NO_FACE = "target_no_face"
"""The target cannot be measured: nothing is said about the system, and the frame is left out for all
alike."""
TARGET_NO_NEIGHBOUR = "target_no_neighbour"
"""The frame just before is not among the frames to be drawn, so nothing over time can be measured."""
NO_NEIGHBOUR = "no_neighbour"
"""The system did not deliver the frame just before: a failure of this frame too, where time is measured."""
TARGET_NO_REGION = "target_no_region"
TARGET_TOO_SMALL = "target_too_small"


@dataclass(frozen=True, slots=True)
class Measured:
    """A value and a status for each frame; the value is NaN wherever the status is not `ok`."""

    values: Float[np.ndarray, " frames"]
    statuses: tuple[str, ...]

    @classmethod
    def of(
        cls,
        values: Float[np.ndarray, " frames"],
        missing: Mapping[str, Bool[np.ndarray, " frames"]] | None = None,
    ) -> "Measured":
        """Mark the frames that could not be measured; a later reason wins over an earlier one."""
        statuses = np.full(len(values), OK, dtype=object)
        for reason, frames in (missing or {}).items():
            statuses[frames] = reason
        return cls(np.where(statuses == OK, values, np.nan), tuple(statuses))


class FrameMetric(Protocol):
    """A metric with one value for each frame."""

    @property
    def spec(self) -> MetricSpec:
        """What it measures."""

    def score(self, generated: Frames, target: Frames, cache: FeatureCache) -> Measured:
        """Compare each generated frame with its target; `target.previous` says which frames follow each other."""


class SetMetric(Protocol):
    """A metric over all frames of a system, or over all runs of them."""

    @property
    def spec(self) -> MetricSpec:
        """What it measures."""

    @property
    def extractor(self) -> Extractor:
        """The features it compares."""

    @property
    def members(self) -> Members:
        """What a set is made of: the features are of these."""

    def distance(
        self, generated: Float[np.ndarray, "generated width"], target: Float[np.ndarray, "target width"]
    ) -> float:
        """Compare two sets of features."""

    def without_each(
        self,
        generated: Float[np.ndarray, "frames width"],
        target: Float[np.ndarray, "frames width"],
        owners: Sequence[str],
    ) -> dict[str, float]:
        """Return the distance without each owner of rows in turn: what a delete-one jackknife needs.

        An owner without whom fewer than two frames would remain gets NaN.
        """


@dataclass(frozen=True, slots=True)
class PairMetric:
    """A frame metric that any two pictures have, such as SSIM."""

    spec: MetricSpec
    key: str
    measure_pairs: Callable[[Frames, Frames], Float[np.ndarray, " frames"]]

    def measure(self, generated: Frames, target: Frames, cache: FeatureCache) -> Float[np.ndarray, " frames"]:  # noqa: ARG002
        """Return the value of each pair."""
        return self.measure_pairs(generated, target)

    def score(self, generated: Frames, target: Frames, cache: FeatureCache) -> Measured:
        """Compare each generated frame with its target."""
        return Measured.of(cache.pair_values(self, generated, target))
