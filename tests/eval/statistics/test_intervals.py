import numpy as np
import pytest
from scipy import stats

from eval.statistics.intervals import bca_interval, jackknife_interval, mean_interval, t_interval

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
    assert np.array(jackknife_interval(VALUES.mean(), without)) == pytest.approx(np.array(t_interval(VALUES)))


def test_t_intervals_cover_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(3, 1, (4000, 5))
    bounds = np.array([t_interval(sample) for sample in samples])
    covered = np.mean((bounds[:, 0] <= 3) & (bounds[:, 1] >= 3))
    assert 0.94 < covered < 0.96


@pytest.mark.parametrize("people", [12, 40])
def test_the_bootstrap_equals_scipys_bca_where_it_is_not_widened(people: int) -> None:
    """Skewed values, so that both corrections matter; the rest is the luck of the draws."""
    values = np.random.default_rng(1).lognormal(0, 0.8, people)
    expected = stats.bootstrap(
        (values,), np.mean, method="BCa", n_resamples=40_000, rng=np.random.default_rng(2)
    ).confidence_interval
    found = bca_interval(values, resamples=40_000, expand=False)
    assert found == pytest.approx(tuple(expected), abs=0.03 * (expected.high - expected.low))


def test_the_bootstrap_is_as_wide_as_students_t_where_values_are_not_skewed() -> None:
    values = stats.norm.ppf((np.arange(25) + 0.5) / 25)
    low, high = bca_interval(values)
    expected = t_interval(values)
    assert high - low == pytest.approx(expected[1] - expected[0], rel=0.03)


def test_the_bootstrap_leans_to_the_side_of_the_tail() -> None:
    values = np.random.default_rng(3).lognormal(0, 1, 30)
    low, high = bca_interval(values)
    assert high - values.mean() > 1.2 * (values.mean() - low)


def test_each_cell_has_the_interval_it_has_alone_and_keeps_it() -> None:
    values = np.random.default_rng(4).normal(0, 1, (2, 3, 15))
    low, high = bca_interval(values)
    assert low.shape == (2, 3)
    assert bca_interval(values[1, 2]) == pytest.approx((float(low[1, 2]), float(high[1, 2])))
    assert bca_interval(values[1, 2]) == bca_interval(values[1, 2])


def test_scale_and_shift_carry_over_to_the_interval() -> None:
    values = np.random.default_rng(5).gamma(2, 1, 20)
    low, high = bca_interval(values)
    assert bca_interval(3 * values + 5) == pytest.approx((3 * low + 5, 3 * high + 5))


def test_equal_values_have_an_interval_without_width() -> None:
    assert bca_interval(np.full(15, 0.25)) == (0.25, 0.25)


def test_too_few_people_to_resample_get_students_t() -> None:
    values = np.random.default_rng(6).lognormal(0, 1, 10)
    assert mean_interval(values[:9]) == t_interval(values[:9])
    assert mean_interval(values) == bca_interval(values)
