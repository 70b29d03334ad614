"""d' against the integral it is defined by, its closed form for two alternatives, and its inverse."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from eval.study.dprime import MOST, d_prime, share_correct


@pytest.mark.parametrize("distance", [-3.0, -0.7, 0.0, 0.5, 1.0, 2.3, 4.0])
@pytest.mark.parametrize("alternatives", [2, 3, 4])
def test_the_share_is_the_integral_behind_the_tables(distance: float, alternatives: int) -> None:
    expected, _ = quad(lambda x: norm.pdf(x - distance) * norm.cdf(x) ** (alternatives - 1), -12, 12, epsabs=1e-12)
    assert share_correct(distance, alternatives) == pytest.approx(expected, abs=1e-9)


def test_two_alternatives_have_a_closed_form() -> None:
    for distance in (-1.0, 0.3, 1.0, 2.5):
        assert share_correct(distance, 2) == pytest.approx(norm.cdf(distance / np.sqrt(2)), abs=1e-12)


def test_guessing_is_zero_and_the_inverse_leads_back() -> None:
    assert d_prime(1 / 3, 300) == pytest.approx(0, abs=1e-9)
    for distance in (-1.5, 0.2, 1.0, 3.0):
        assert d_prime(share_correct(distance), 10_000_000) == pytest.approx(distance, abs=1e-9)


def test_a_simulated_observer_of_known_sensitivity_is_recovered() -> None:
    rng = np.random.default_rng(3)
    seen = rng.standard_normal((200_000, 3))
    seen[:, 0] += 1.2
    assert d_prime(float((seen.argmax(axis=1) == 0).mean()), 200_000) == pytest.approx(1.2, abs=0.02)


def test_all_or_none_right_stay_finite_and_grow_with_the_trials() -> None:
    assert 0 < d_prime(1, 10) < d_prime(1, 100) < MOST
    assert -MOST < d_prime(0, 100) < d_prime(0, 10) < 0
    assert d_prime(1, 10**18) == MOST
