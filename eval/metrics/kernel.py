"""The kernel distance between two sets of features: an unbiased estimate, so it compares across set sizes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from eval.features import Extractor
from eval.metrics.members import FRAMES, Members
from eval.specs.spec import MetricSpec

_ROWS = 2048
"""Rows of the kernel matrix that are in memory at a time."""


@dataclass(frozen=True, slots=True)
class KernelMetric:
    """A kernel distance over the features of one network."""

    spec: MetricSpec
    extractor: Extractor
    members: Members = FRAMES

    def distance(
        self, generated: Float[np.ndarray, "generated width"], target: Float[np.ndarray, "target width"]
    ) -> float:
        """Compare two sets of features."""
        return kernel_distance(generated, target)

    def without_each(
        self,
        generated: Float[np.ndarray, "frames width"],
        target: Float[np.ndarray, "frames width"],
        owners: Sequence[str],
    ) -> dict[str, float]:
        """Return the distance without each owner of rows in turn; NaN where fewer than two frames would remain.

        The kernel is computed once: who is left out takes one row and one column off its sums by owner.
        """
        names = list(dict.fromkeys(owners))
        belongs = np.array([[name == owner for owner in owners] for name in names], np.float64)
        x, y = generated.astype(np.float64), target.astype(np.float64)
        own, other, cross = (
            _without_one(table) for table in (_sums(x, x, belongs), _sums(y, y, belongs), _sums(x, y, belongs))
        )
        left = len(owners) - belongs.sum(axis=1)
        return {
            name: _estimate(own[place], other[place], cross[place], count, count) if count >= 2 else float("nan")
            for place, (name, count) in enumerate(zip(names, left, strict=True))
        }


def kernel_distance(
    generated: Float[np.ndarray, "generated width"], target: Float[np.ndarray, "target width"]
) -> float:
    """Return the unbiased estimate of the squared maximum mean discrepancy between two sets of features.

    The kernel is `(a . b / width + 1)^3`. Being unbiased, the estimate can be negative.

    Args:
        generated: One row for each frame; at least two.
        target: Likewise, of the same width.

    Raises:
        ValueError: A set has fewer than two rows.

    Source: Binkowski et al. 2018, "Demystifying MMD GANs", equation 4 and section 4. Their KID is the mean over random
    subsets; this is the same estimate over whole sets, which needs no random choice.
    """
    if min(len(generated), len(target)) < 2:
        raise ValueError(f"{len(generated)} and {len(target)} features: the unbiased estimate needs two of each")
    x, y = generated.astype(np.float64), target.astype(np.float64)
    all_x, all_y = np.ones((1, len(x))), np.ones((1, len(y)))
    own, other = _sums(x, x, all_x), _sums(y, y, all_y)
    return _estimate(own.sum(), other.sum(), _sums(x, y, all_x, all_y).sum(), len(x), len(y))


def _estimate(own: float, other: float, cross: float, generated: float, target: float) -> float:
    """Return the distance from sums of the kernel, the first two without pairs of a row with itself."""
    return float(
        own / (generated * (generated - 1)) + other / (target * (target - 1)) - 2 * cross / (generated * target)
    )


def _sums(
    x: Float[np.ndarray, "rows width"],
    y: Float[np.ndarray, "columns width"],
    owns_x: Float[np.ndarray, "owners rows"],
    owns_y: Float[np.ndarray, "owners columns"] | None = None,
) -> Float[np.ndarray, "owners owners"]:
    """Return the sums of the kernel between the rows of each two owners; pairs of a row with itself left out."""
    owns_y = owns_x if owns_y is None else owns_y
    table = np.zeros((len(owns_x), len(owns_y)))
    for start in range(0, len(x), _ROWS):
        part = slice(start, start + _ROWS)
        kernel = (x[part] @ y.T / x.shape[1] + 1) ** 3
        if x is y:
            kernel[:, part][np.diag_indices(len(kernel))] = 0
        table += owns_x[:, part] @ kernel @ owns_y.T
    return table


def _without_one(table: Float[np.ndarray, "owners owners"]) -> Float[np.ndarray, " owners"]:
    """Return the sum of a table without the row and the column of each owner in turn."""
    return np.asarray(table.sum() - table.sum(axis=0) - table.sum(axis=1) + np.diag(table))
