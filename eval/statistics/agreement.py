"""Whether two metrics order results alike: Kendall's tau over systems and people, with people as the sample."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float, Int

from eval.statistics.intervals import jackknife_interval
from eval.statistics.panel import Panel


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Two metrics at one number of shots."""

    metric: str
    other: str
    shots: int
    tau: float
    """Kendall's tau-b, 1 where both order all results alike, better with better; -1 where they are opposed. NaN where
    one of them gives everything the same value."""
    low: float
    high: float
    """95% interval over identities; NaN below two."""
    n_results: int
    """Results that both have: a system on a person."""
    n_identities: int


def agreements(found: Sequence[Panel], shots: int) -> tuple[Agreement, ...]:
    """Return the agreement of each pair of metrics that have a value for each person.

    Args:
        found: The panels of a run.
        shots: The number of shots.
    """
    taking_part = [panel for panel in found if not panel.over_sets and shots in panel.shots]
    return tuple(_agreement(one, other, shots) for one, other in combinations(taking_part, 2))


def tau_without_each(
    one: Float[np.ndarray, " results"], other: Float[np.ndarray, " results"], cluster: Int[np.ndarray, " results"]
) -> tuple[float, Float[np.ndarray, " clusters"]]:
    """Return Kendall's tau-b of two sets of values, and the same without each cluster in turn.

    Tau-b is the cosine between the signs of all pairs' differences, so pairs are summed by the clusters they are of,
    and leaving one out is a subtraction.

    Args:
        one: Values of the one; no NaN.
        other: Of the other, for the same results.
        cluster: Which cluster each result is of, from 0 up.

    Source: Kendall 1945, "The treatment of ties in ranking problems"; equal to `scipy.stats.kendalltau`.
    """
    clusters = int(cluster.max()) + 1 if len(cluster) else 0
    sums = np.zeros((3, clusters, clusters))  # products of signs, untied in the one, untied in the other
    for place in range(clusters):
        rows = cluster == place
        signs, others = np.sign(one[rows, None] - one), np.sign(other[rows, None] - other)
        for kind, of_results in enumerate((signs * others, np.abs(signs), np.abs(others))):
            sums[kind, place] = np.bincount(cluster, weights=of_results.sum(axis=0), minlength=clusters)
    total = sums.sum(axis=(1, 2))
    left = total[:, None] - sums.sum(axis=1) - sums.sum(axis=2) + np.diagonal(sums, axis1=1, axis2=2)
    return float(_cosine(total[:, None])[0]), _cosine(left)


def _agreement(one: Panel, other: Panel, shots: int) -> Agreement:
    values = [
        (1 if panel.spec.higher_is_better else -1) * panel.per_identity[:, panel.shots.index(shots)]
        for panel in (one, other)
    ]
    known = ~np.isnan(values[0]) & ~np.isnan(values[1])  # (systems, identities)
    people, cluster = np.unique(np.nonzero(known)[1], return_inverse=True)
    tau, without = tau_without_each(values[0][known], values[1][known], cluster)
    low, high = jackknife_interval(tau, without)
    return Agreement(
        metric=one.spec.id,
        other=other.spec.id,
        shots=shots,
        tau=tau,
        low=max(float(low), -1.0) if np.isfinite(low) else float("nan"),
        high=min(float(high), 1.0) if np.isfinite(high) else float("nan"),
        n_results=int(known.sum()),
        n_identities=len(people),
    )


def _cosine(sums: Float[np.ndarray, "kinds some"]) -> Float[np.ndarray, " some"]:
    both = np.sqrt(sums[1] * sums[2])
    return np.asarray(np.divide(sums[0], both, out=np.full(len(both), np.nan), where=both > 0))
