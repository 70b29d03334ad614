"""Tests that hold whatever the distribution: signs of paired differences are flipped, p are corrected for number."""

import math

import numpy as np
from jaxtyping import Float
from scipy.special import stdtr

from eval.statistics.intervals import SEED, jackknife_error

LEVEL = 0.05
MOST_ENUMERATED = 20
"""Up to this many clusters all 2^n patterns of signs are counted; beyond, some are drawn."""
FEWEST_FLIPS = 9_999
_CHUNK = 4_096  # cells x patterns of signs are held for so many patterns at a time


def sign_flip_p(
    differences: Float[np.ndarray, "cells clusters"], *, family: int = 1, seed: int = SEED
) -> Float[np.ndarray, " cells"]:
    """Return the two-sided p of the hypothesis that paired differences are symmetric around zero.

    If two systems were alike, each cluster's difference could as well have had the other sign. p is the share of
    all patterns of signs whose mean is at least as far from zero as the one that was seen. It is exact up to 20
    clusters. Beyond, p is (1 + hits) / (1 + patterns) over patterns that were drawn, which is never too small on
    average (Phipson and Smyth 2010). NaN below two clusters.

    Args:
        differences: One for each cluster; no NaN.
        family: How many p are going to be corrected together: enough patterns are drawn that a correction by as many
            can still leave a p of half the level.
        seed: Of the patterns.

    Source: Fisher 1935, The Design of Experiments, section 21; equal to
    `scipy.stats.permutation_test(permutation_type="samples")`.
    """
    cells, clusters = differences.shape
    if clusters < 2:
        return np.full(cells, np.nan)
    if clusters <= MOST_ENUMERATED:
        return np.array([_enumerated_p(np.abs(one), abs(float(one.sum()))) for one in differences])
    return _drawn_p(differences, max(FEWEST_FLIPS, math.ceil(2 * family / LEVEL)), np.random.default_rng(seed))


def smallest_p(clusters: int) -> float:
    """Return the least p that flipping the signs of so many clusters can give: two of all patterns."""
    return 2.0 ** (1 - clusters)


def jackknife_p(
    value: Float[np.ndarray, " cells"], without_one: Float[np.ndarray, "cells clusters"]
) -> Float[np.ndarray, " cells"]:
    """Return the two-sided p of Student's t for a value with its delete-one jackknife error; NaN below two clusters.

    It is never below `smallest_p`: with few clusters, less would be owed to the assumption of a normal distribution.
    """
    cells, clusters = without_one.shape
    if clusters < 2:
        return np.full(cells, np.nan)
    error = jackknife_error(without_one)
    ratio = np.divide(np.abs(value), error, out=np.where(value == 0, 0.0, np.inf), where=error > 0)
    p = np.maximum(2 * stdtr(clusters - 1, -ratio), smallest_p(clusters))
    return np.asarray(np.where(np.isnan(value), np.nan, p))


def holm(p: Float[np.ndarray, " cells"]) -> Float[np.ndarray, " cells"]:
    """Return p corrected for being one of many: below 5%, a family has a false one among its calls in 5% of studies.

    NaN stays NaN and is none of the many.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    corrected = np.full(len(p), np.nan)
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)), 1.0)
    return corrected


def _enumerated_p(sizes: Float[np.ndarray, " clusters"], observed: float) -> float:
    """Return the share of all patterns of signs with a sum as far from zero.

    Each half of the clusters has few patterns; of their sums, one half's are sorted and those that reach the observed
    sum are counted for each of the other's (Horowitz and Sahni 1974), so 2^20 sums are counted and never formed.
    """
    half = len(sizes) // 2
    left, right = _signed_sums(sizes[:half]), np.sort(_signed_sums(sizes[half:]))
    reach = observed - 1e-9 * float(sizes.sum())  # sums that are equal but for rounding count
    if reach <= 0:
        return 1.0
    one_side = len(left) * len(right) - int(np.searchsorted(right, reach - left, side="left").sum())
    return one_side * smallest_p(len(sizes))


def _signed_sums(sizes: Float[np.ndarray, " clusters"]) -> Float[np.ndarray, " patterns"]:
    sums = np.zeros(1)
    for size in sizes:
        sums = np.concatenate([sums - size, sums + size])
    return sums


def _drawn_p(
    differences: Float[np.ndarray, "cells clusters"], flips: int, rng: np.random.Generator
) -> Float[np.ndarray, " cells"]:
    """Return p over patterns of signs that were drawn; the same ones for all cells."""
    reach = np.abs(differences.sum(axis=1)) - 1e-9 * np.abs(differences).sum(axis=1)
    hits = np.zeros(len(differences), dtype=np.int64)
    for start in range(0, flips, _CHUNK):
        signs = 2.0 * rng.integers(0, 2, (min(_CHUNK, flips - start), differences.shape[1])) - 1.0
        hits += np.count_nonzero(np.abs(differences @ signs.T) >= reach[:, None], axis=1)
    return (1 + hits) / (1 + flips)
