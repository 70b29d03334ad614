"""Intervals over independent clusters; in this project a cluster is a person."""

import math

import numpy as np
from jaxtyping import Float
from scipy.special import stdtrit

CONFIDENCE = 0.95


def t_interval(values: Float[np.ndarray, " clusters"]) -> tuple[float, float]:
    """Return the 95% interval of the mean of independent values by Student's t; NaN below two values."""
    if len(values) < 2:
        return float("nan"), float("nan")
    half = _t_quantile(len(values)) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    mean = float(np.mean(values))
    return mean - half, mean + half


def jackknife_interval(value: float, without_one: Float[np.ndarray, " clusters"]) -> tuple[float, float]:
    """Return the 95% interval around `value` by the delete-one jackknife; NaN below two clusters.

    Source: Efron and Tibshirani 1993, equation 11.5, with Student's t on clusters - 1 degrees of freedom.
    """
    clusters = len(without_one)
    if clusters < 2:
        return float("nan"), float("nan")
    variance = (clusters - 1) / clusters * float(np.sum((without_one - np.mean(without_one)) ** 2))
    half = _t_quantile(clusters) * math.sqrt(variance)
    return value - half, value + half


def _t_quantile(clusters: int) -> float:
    return float(stdtrit(clusters - 1, 0.5 + CONFIDENCE / 2))
