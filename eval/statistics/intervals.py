"""Intervals over independent clusters; in this project a cluster is a person."""

import math
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri, stdtrit

CONFIDENCE = 0.95
FEWEST_TO_RESAMPLE = 10
"""Below this many clusters a bootstrap knows too few samples that could have been; Student's t, which assumes a normal
distribution and is wide, takes its place."""
RESAMPLES = 4_000
SEED = 0
"""Of everything drawn in the statistics: the same scores always give the same intervals and p."""

Bounds = tuple[Float[np.ndarray, "*cells"], Float[np.ndarray, "*cells"]]


def mean_interval(values: Float[np.ndarray, "*cells clusters"]) -> Bounds:
    """Return the 95% interval of the mean: `bca_interval`, or `t_interval` below ten clusters."""
    return t_interval(values) if values.shape[-1] < FEWEST_TO_RESAMPLE else bca_interval(values)


def t_interval(values: Float[np.ndarray, "*cells clusters"]) -> Bounds:
    """Return the 95% interval of the mean of independent values by Student's t; NaN below two values."""
    clusters = values.shape[-1]
    if clusters < 2:
        return _unknown(values.shape[:-1])
    error = np.asarray(np.std(values, axis=-1, ddof=1) / math.sqrt(clusters))
    return _around(np.asarray(np.mean(values, axis=-1)), error, clusters)


def jackknife_interval(
    value: float | Float[np.ndarray, "*cells"], without_one: Float[np.ndarray, "*cells clusters"]
) -> Bounds:
    """Return the 95% interval around `value` by the delete-one jackknife; NaN below two clusters.

    Source: Efron and Tibshirani 1993, equation 11.5, with Student's t on clusters - 1 degrees of freedom.
    """
    clusters = without_one.shape[-1]
    if clusters < 2:
        return _unknown(without_one.shape[:-1])
    return _around(value, jackknife_error(without_one), clusters)


def jackknife_error(without_one: Float[np.ndarray, "*cells clusters"]) -> Float[np.ndarray, "*cells"]:
    """Return the standard error by the delete-one jackknife (Efron and Tibshirani 1993, equation 11.5)."""
    clusters = without_one.shape[-1]
    gaps = without_one - np.mean(without_one, axis=-1, keepdims=True)
    return np.asarray(np.sqrt((clusters - 1) / clusters * np.sum(gaps**2, axis=-1)))


def bca_interval(
    values: Float[np.ndarray, "*cells clusters"], *, resamples: int = RESAMPLES, seed: int = SEED, expand: bool = True
) -> Bounds:
    """Return the 95% interval of the mean by the bias-corrected and accelerated bootstrap over clusters.

    All cells are resampled by the same draws of clusters.

    Args:
        values: Cluster means; at least two clusters.
        resamples: How often clusters are drawn anew.
        seed: Of the draws.
        expand: Widen the nominal quantiles from the normal to Student's t times sqrt(n / (n - 1)): a bootstrap's own
            spread is that of n, not of n - 1, and its quantiles are normal ones, so that without this a 95% interval
            over 20 clusters covers 93%.

    Source: Efron 1987, "Better bootstrap confidence intervals"; equal to
    `scipy.stats.bootstrap(method="BCa")` where `expand` is off. The expansion is that of the expanded percentile
    interval of Hesterberg 2015, "What teachers should know about the bootstrap".
    """
    clusters = values.shape[-1]
    rows = values.reshape(-1, clusters)
    draws = resampled_shares(clusters, resamples, seed)
    mean = rows.mean(axis=1)
    gaps = rows - mean[:, None]
    replicates = np.sort(
        (gaps @ draws.T).astype(np.float32), axis=1
    )  # (cells, resamples), around the mean; to sort fast
    below = _count_below(replicates, 0.0) / resamples
    bias = ndtri(np.clip(below, 0.5 / resamples, 1 - 0.5 / resamples))
    squares = np.sum(gaps**2, axis=1)
    skew = np.divide(np.sum(gaps**3, axis=1), squares**1.5, out=np.zeros(len(rows)), where=squares > 0)
    nominal = ndtri(0.5 + CONFIDENCE / 2)
    if expand:
        nominal = _t_quantile(clusters) * math.sqrt(clusters / (clusters - 1))
    bounds = []
    for z in (-nominal, nominal):
        shifted = bias + z
        share = ndtr(bias + shifted / (1 - skew / 6 * shifted))
        bounds.append((mean + _quantile(replicates, share)).reshape(values.shape[:-1]))
    return bounds[0], bounds[1]


@lru_cache(maxsize=8)
def resampled_shares(clusters: int, resamples: int, seed: int = SEED) -> Float[np.ndarray, "resamples clusters"]:
    """Return the share of each cluster in samples of as many, drawn with replacement; not to be written to."""
    rng = np.random.default_rng((seed, clusters))
    shares = rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=resamples) / clusters
    shares.flags.writeable = False
    return shares


def _count_below(replicates: Float[np.ndarray, "cells resamples"], at: float) -> Float[np.ndarray, " cells"]:
    """Return how many values are below, those that are equal counting half."""
    return np.asarray((np.sum(replicates < at, axis=1) + np.sum(replicates <= at, axis=1)) / 2)


def _quantile(
    ascending: Float[np.ndarray, "cells resamples"], share: Float[np.ndarray, " cells"]
) -> Float[np.ndarray, " cells"]:
    """Return one quantile of each row, between neighbours by linear interpolation as `numpy.quantile` does."""
    place = share * (ascending.shape[1] - 1)
    lower = np.floor(place).astype(np.int64)
    upper = np.minimum(lower + 1, ascending.shape[1] - 1)
    row = np.arange(len(ascending))
    found = ascending[row, lower]
    return np.asarray(found + (place - lower) * (ascending[row, upper] - found))


def _around(value: float | Float[np.ndarray, "*cells"], error: Float[np.ndarray, "*cells"], clusters: int) -> Bounds:
    half = _t_quantile(clusters) * error
    return np.asarray(value - half), np.asarray(value + half)


def _t_quantile(clusters: int) -> float:
    return float(stdtrit(clusters - 1, 0.5 + CONFIDENCE / 2))


def _unknown(shape: tuple[int, ...]) -> Bounds:
    return np.full(shape, np.nan), np.full(shape, np.nan)
