"""Flicker: how generated frames change from one to the next, beside how their targets do."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from eval.features import FeatureCache, Frames
from eval.metrics.measured import TARGET_NO_NEIGHBOUR, Measured
from eval.specs.spec import MetricSpec
from eval.tasks.neighbours import ALONE

Pair = tuple[Frames, Frames]
"""The frames just before, and the frames, in the same order."""


@dataclass(frozen=True, slots=True)
class FlickerMetric:
    """Compares the change from the frame before in what was generated with that in the target."""

    spec: MetricSpec
    compare: Callable[[Pair, Pair, FeatureCache], Float[np.ndarray, " frames"]]

    def score(self, generated: Frames, target: Frames, cache: FeatureCache) -> Measured:
        """Compare the changes; frames without the one just before them have no value."""
        values = np.full(len(target), np.nan)
        before = np.full(len(target), ALONE) if target.previous is None else target.previous
        later = np.flatnonzero(before != ALONE)
        if len(later):
            pairs = [(side.take(before[later].tolist()), side.take(later.tolist())) for side in (generated, target)]
            values[later] = self.compare(pairs[0], pairs[1], cache)
        return Measured.of(values, {TARGET_NO_NEIGHBOUR: before == ALONE})


def dtssd(generated: Pair, target: Pair, cache: FeatureCache) -> Float[np.ndarray, " frames"]:  # noqa: ARG001
    """Return how far the change of each frame is from that of its target, as `difference_of_changes`."""
    return difference_of_changes(generated[0].pixels, generated[1].pixels, target[0].pixels, target[1].pixels)


def difference_of_changes(
    generated_before: UInt8[np.ndarray, "frames size size 3"],
    generated: UInt8[np.ndarray, "frames size size 3"],
    target_before: UInt8[np.ndarray, "frames size size 3"],
    target: UInt8[np.ndarray, "frames size size 3"],
) -> Float[np.ndarray, " frames"]:
    """Return the root mean square difference between two changes of all pixels and colours, as a fraction of 255.

    Source: dtSSD of Erofeev et al. 2015, "Perceptually motivated benchmark for video matting"; differs in being over
    colours and in the mean over pixels.
    """
    change = generated.astype(np.int16) - generated_before
    gap = (change - (target.astype(np.int16) - target_before)).astype(np.float64)
    return np.asarray(np.sqrt(np.mean(gap**2, axis=(1, 2, 3))) / 255)
