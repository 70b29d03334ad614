"""How often people are right: an interval over raters and people shown, and a test against guessing."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import ndtri, stdtr, stdtrit

from eval.specs.user import CHANCE
from eval.statistics.intervals import CONFIDENCE, RESAMPLES, resampled_shares

NORMAL_QUANTILE = float(ndtri(0.5 + CONFIDENCE / 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """A share of correct answers; NaN where something cannot be known."""

    trials: int
    correct: int
    raters: int
    people: int
    """Shown, not asked."""
    value: float
    low: float
    high: float
    """95% interval over raters and people shown; NaN with one rater or one person."""
    wilson_low: float
    wilson_high: float
    """95% interval as if all trials were independent."""
    design_effect: float
    """How many trials are worth one independent trial."""
    p: float
    """One-sided, of the hypothesis that people do not do better than guessing."""


def accuracy(
    correct: Bool[np.ndarray, " trials"], rater: Int[np.ndarray, " trials"], person: Int[np.ndarray, " trials"]
) -> Accuracy:
    """Return the share of correct answers with its interval and test.

    Answers of one rater resemble each other, and so do answers about one person shown. The variance of the share is
    therefore that between raters plus that between people less that of independent trials (Cameron, Gelbach and
    Miller 2011), the first two by a bootstrap over raters and one over people, and never less than any of
    the three. Its ratio to the binomial variance is the design effect. The interval is Wilson's at trials / design
    effect, which stays between 0 and 1 and has a width also where everybody is right, with Student's t on the smaller
    number of clusters less one in place of the normal quantile (Cameron and Miller 2015). The test is the score
    test that belongs to it.

    Args:
        correct: Whether each answer is.
        rater: Number of the rater, from 0.
        person: Number of the person shown, from 0.

    Raises:
        ValueError: There is no trial.
    """
    trials = len(correct)
    if not trials:
        raise ValueError("no trial: nothing to estimate")
    value = float(correct.mean())
    raters, people = len(np.unique(rater)), len(np.unique(person))
    effect = design_effect(correct, rater, person)
    freedom = min(raters, people) - 1
    low = high = p = math.nan
    if freedom > 0:
        low, high = wilson(value, trials / effect, float(stdtrit(freedom, 0.5 + CONFIDENCE / 2)))
        error = math.sqrt(CHANCE * (1 - CHANCE) * effect / trials)
        p = float(stdtr(freedom, (CHANCE - value) / error))
    wilson_low, wilson_high = wilson(value, trials)
    return Accuracy(
        trials=trials,
        correct=int(correct.sum()),
        raters=raters,
        people=people,
        value=value,
        low=low,
        high=high,
        wilson_low=wilson_low,
        wilson_high=wilson_high,
        design_effect=effect,
        p=p,
    )


def wilson(share: float, trials: float, quantile: float = NORMAL_QUANTILE) -> tuple[float, float]:
    """Return the score interval of a share.

    Args:
        share: Of the trials, 0 to 1.
        trials: How many independent ones it is worth; need not be whole.
        quantile: Of the distribution of the standardised share.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    shrink = 1 + quantile**2 / trials
    centre = (share + quantile**2 / (2 * trials)) / shrink
    half = quantile / shrink * math.sqrt(share * (1 - share) / trials + quantile**2 / (4 * trials**2))
    return max(centre - half, 0.0), min(centre + half, 1.0)


def design_effect(
    correct: Bool[np.ndarray, " trials"], rater: Int[np.ndarray, " trials"], person: Int[np.ndarray, " trials"]
) -> float:
    """Return the variance of the share over that of as many independent trials; at least 1."""
    trials, value = len(correct), float(correct.mean())
    independent = value * (1 - value) / trials
    if not independent:
        return 1.0
    by_rater, by_person = _between(correct, rater), _between(correct, person)
    both = by_rater + by_person - independent
    return max(by_rater, by_person, both, independent) / independent


def _between(correct: Bool[np.ndarray, " trials"], cluster: Int[np.ndarray, " trials"]) -> float:
    """Return the bootstrap variance of the share where whole clusters are drawn with replacement.

    A bootstrap's spread is that of n clusters, not of n - 1; the factor mends it.
    """
    _, place = np.unique(cluster, return_inverse=True)
    totals: Float[np.ndarray, " clusters"] = np.bincount(place).astype(np.float64)
    if len(totals) < 2:
        return 0.0
    shares = resampled_shares(len(totals), RESAMPLES)
    drawn = (shares @ np.bincount(place, weights=correct)) / (shares @ totals)
    return float(drawn.var() * len(totals) / (len(totals) - 1))
