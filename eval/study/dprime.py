"""d': how far apart real and generated pictures look, in standard deviations of what a person perceives."""

import math
from functools import cache

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq
from scipy.special import ndtr

from eval.specs.user import ALTERNATIVES

MOST = 8.0
"""Beyond this nobody could tell the difference from a share of 1."""
_NODES = 120


def share_correct(d_prime: float, alternatives: int = ALTERNATIVES) -> float:
    """Return the share of trials that an unbiased observer gets right who takes the most suspicious alternative.

    Args:
        d_prime: Distance between the means of the one odd alternative and the others, in standard deviations.
        alternatives: How many are shown at once.

    Source: Green and Swets 1966; the tables of Hacker and Ratcliff 1979, "A revised table of d' for M-alternative
    forced choice". The integral of phi(x - d') Phi(x)^(m-1) by Gauss-Hermite quadrature.
    """
    nodes, weights = _quadrature()
    return float(weights @ ndtr(math.sqrt(2) * nodes + d_prime) ** (alternatives - 1)) / math.sqrt(math.pi)


def d_prime(share: float, trials: int, alternatives: int = ALTERNATIVES) -> float:
    """Return the d' that leads to a share of correct answers; negative below guessing.

    Args:
        share: 0 to 1. None right counts as half a trial right, and all right as all but half a trial (Macmillan and
            Kaplan 1985), since d' would be infinite.
        trials: How many trials are behind the share.
        alternatives: How many are shown at once.
    """
    within = min(max(share, 0.5 / trials), 1 - 0.5 / trials)
    if not share_correct(-MOST, alternatives) < within < share_correct(MOST, alternatives):
        return math.copysign(MOST, within - 1 / alternatives)
    return float(brentq(lambda distance: share_correct(distance, alternatives) - within, -MOST, MOST))


@cache
def _quadrature() -> tuple[Float[np.ndarray, " nodes"], Float[np.ndarray, " nodes"]]:
    nodes, weights = np.polynomial.hermite.hermgauss(_NODES)
    return nodes, weights
