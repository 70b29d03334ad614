"""How large a paired difference is, and how large one would have to be to be found."""

import math

import numpy as np
from jaxtyping import Float
from scipy.special import nctdtrinc, stdtrit
from scipy.stats import rankdata

from eval.statistics.permutation import LEVEL, smallest_p

POWER = 0.8


def hodges_lehmann(differences: Float[np.ndarray, "cells clusters"]) -> Float[np.ndarray, " cells"]:
    """Return the median of the means of all pairs of differences, each paired with itself too.

    It is an estimate of the typical difference that a few odd clusters do not move.

    Source: Hodges and Lehmann 1963, "Estimates of location based on rank tests".
    """
    one, other = np.triu_indices(differences.shape[1])
    return np.asarray(np.median((differences[:, one] + differences[:, other]) / 2, axis=1))


def superiority(differences: Float[np.ndarray, "cells clusters"]) -> Float[np.ndarray, " cells"]:
    """Return the share of clusters with a difference above zero, those without a difference counting half.

    0.5 is a draw. It is the probability that one system beats the other on a person drawn at random.

    Source: Grissom and Kim 2012, Effect Sizes for Research. Twice this less one is
    Cliff's delta within pairs.
    """
    return np.asarray((np.mean(differences > 0, axis=1) + np.mean(differences >= 0, axis=1)) / 2)


def rank_biserial(differences: Float[np.ndarray, "cells clusters"]) -> Float[np.ndarray, " cells"]:
    """Return the matched-pairs rank-biserial correlation, from -1 to 1: the ranks for less those against, as a share.

    Clusters without a difference are left out; 0 where there is no other.

    Source: Kerby 2014, "The simple difference formula"; the ranks are those of Wilcoxon's signed-rank test.
    """
    sizes = np.abs(differences)
    ranks = rankdata(sizes, axis=1) - np.sum(sizes == 0, axis=1, keepdims=True)
    ranks = np.where(sizes > 0, ranks, 0.0)
    total = ranks.sum(axis=1)
    balance = np.sum(np.sign(differences) * ranks, axis=1)
    return np.asarray(np.divide(balance, total, out=np.zeros(len(total)), where=total > 0))


def detectable(
    spread: Float[np.ndarray, " cells"], clusters: int, *, level: float = LEVEL
) -> Float[np.ndarray, " cells"]:
    """Return the true difference that a paired comparison finds in four studies of five.

    Args:
        spread: Standard deviation of the paired differences.
        clusters: How many there are. Infinite where no p as small as `level` is possible with so few; NaN below two.
        level: What p has to reach. In a family of m comparisons that is corrected, 0.05 / m is reached whatever the
            others turn out to be.

    Source: power of the paired t test by the noncentral t distribution (Cohen 1988, chapter 2), without the tail on
    the wrong side.
    """
    if clusters < 2:
        return np.full(len(spread), np.nan)
    if smallest_p(clusters) > level:
        return np.where(np.isnan(spread), np.nan, np.inf)
    critical = stdtrit(clusters - 1, 1 - level / 2)
    return np.asarray(nctdtrinc(clusters - 1, 1 - POWER, critical) * spread / math.sqrt(clusters))
