"""The Frechet distance between two sets of features, exact below full rank."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from eval.features import Extractor
from eval.metrics.members import FRAMES, Members
from eval.specs.spec import MetricSpec


@dataclass(frozen=True, slots=True)
class FrechetMetric:
    """A Frechet distance over the features of one network."""

    spec: MetricSpec
    extractor: Extractor
    members: Members = FRAMES

    def distance(
        self, generated: Float[np.ndarray, "generated width"], target: Float[np.ndarray, "target width"]
    ) -> float:
        """Compare two sets of features."""
        return frechet_distance(generated, target)

    def without_each(
        self,
        generated: Float[np.ndarray, "frames width"],
        target: Float[np.ndarray, "frames width"],
        owners: Sequence[str],
    ) -> dict[str, float]:
        """Return the distance without each owner of rows in turn; NaN where fewer than two frames would remain."""
        found = {}
        for owner in dict.fromkeys(owners):
            rest = np.array([name != owner for name in owners])
            found[owner] = self.distance(generated[rest], target[rest]) if rest.sum() >= 2 else float("nan")
        return found


def frechet_distance(
    generated: Float[np.ndarray, "generated width"], target: Float[np.ndarray, "target width"]
) -> float:
    """Return the squared Frechet distance between Gaussians fitted to two sets of features.

    The trace of the root of the product of covariances is the nuclear norm of the centred cross-Gram matrix,
    so neither a covariance nor a matrix root is formed, and singular covariances need no correction.

    Args:
        generated: One row for each frame; at least two.
        target: Likewise, of the same width.

    Raises:
        ValueError: A set has fewer than two rows.

    Source: Heusel et al. 2017, equation 6; equals `pytorch_fid.fid_score.calculate_frechet_distance` on
    sample means and covariances where that is defined.
    """
    if min(len(generated), len(target)) < 2:
        raise ValueError(f"{len(generated)} and {len(target)} features: a covariance needs two of each")
    x, y = generated.astype(np.float64), target.astype(np.float64)
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    root_x, root_y = _root(x - mean_x), _root(y - mean_y)
    cross = np.linalg.norm(root_x @ root_y.T, ord="nuc")
    value = np.sum((mean_x - mean_y) ** 2) + np.sum(root_x**2) + np.sum(root_y**2) - 2 * cross
    return float(max(value, 0.0))  # rounding can leave -1e-13 for equal sets


def _root(centred: Float[np.ndarray, "rows width"]) -> Float[np.ndarray, "rank width"]:
    """Return R with R^T R equal to the sample covariance, and no more rows than columns."""
    rows, width = centred.shape
    scaled = centred / np.sqrt(rows - 1)
    return np.asarray(np.linalg.qr(scaled, mode="r")) if rows > width else scaled
