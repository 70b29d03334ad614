import numpy as np
import pytest
from scipy import stats

from eval.intervals import jackknife_interval, t_interval

VALUES = np.array([0.31, 0.52, 0.47, 0.12, 0.66])


def test_t_interval_equals_scipy() -> None:
    expected = stats.t.interval(0.95, len(VALUES) - 1, loc=VALUES.mean(), scale=stats.sem(VALUES))
    assert t_interval(VALUES) == pytest.approx(expected)


def test_two_values_give_the_interval_of_one_degree_of_freedom() -> None:
    """t(0.975, 1) = 12.706; the standard error of 0 and 2 is 1."""
    assert t_interval(np.array([0.0, 2.0])) == pytest.approx((1 - 12.7062, 1 + 12.7062), abs=1e-4)


@pytest.mark.parametrize("count", [0, 1])
def test_below_two_people_there_is_no_interval(count: int) -> None:
    assert np.isnan(t_interval(VALUES[:count])).all()
    assert np.isnan(jackknife_interval(0.4, VALUES[:count])).all()


def test_the_jackknife_of_a_mean_is_its_t_interval() -> None:
    """For a mean, delete-one values give exactly the usual standard error."""
    without = (VALUES.sum() - VALUES) / (len(VALUES) - 1)
    assert jackknife_interval(VALUES.mean(), without) == pytest.approx(t_interval(VALUES))


def test_t_intervals_cover_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(3, 1, (4000, 5))
    bounds = np.array([t_interval(sample) for sample in samples])
    covered = np.mean((bounds[:, 0] <= 3) & (bounds[:, 1] >= 3))
    assert 0.94 < covered < 0.96
