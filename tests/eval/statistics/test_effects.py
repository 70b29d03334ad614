import numpy as np
import pytest
from scipy import stats

from eval.statistics.effects import detectable, hodges_lehmann, rank_biserial, superiority

RNG = np.random.default_rng(0)


def test_the_typical_difference_is_the_median_of_all_pair_means() -> None:
    """0, 1, 5: means of pairs are 0, .5, 2.5, 1, 3, 5, and their median is 1.75."""
    assert hodges_lehmann(np.array([[0.0, 1.0, 5.0]])) == pytest.approx([1.75])


def test_one_odd_person_hardly_moves_the_typical_difference() -> None:
    gaps = RNG.normal(1, 0.1, (1, 20))
    odd = gaps.copy()
    odd[0, 0] = 100
    assert abs(hodges_lehmann(odd)[0] - hodges_lehmann(gaps)[0]) < 0.05
    assert odd.mean() - gaps.mean() > 4


def test_superiority_is_the_share_of_people_with_draws_by_half() -> None:
    assert superiority(np.array([[3.0, 1.0, -9.0, 0.0], [0.0] * 4])) == pytest.approx([0.625, 0.5])


def test_rank_biserial_follows_from_wilcoxons_statistic() -> None:
    gaps = RNG.normal(0.3, 1, 25)
    against = stats.wilcoxon(gaps, alternative="less").statistic  # the sum of positive ranks
    assert rank_biserial(gaps[None])[0] == pytest.approx(2 * against / (25 * 26 / 2) - 1)


def test_rank_biserial_of_a_hand_counted_case() -> None:
    """Without the draw, ranks are 1 for -1, 2 for 2 and 3 for 4: (5 - 1) / 6."""
    assert rank_biserial(np.array([[-1.0, 2.0, 4.0, 0.0], [0.0] * 4, [1.0] * 4])) == pytest.approx([4 / 6, 0, 1])


@pytest.mark.parametrize(("people", "size"), [(10, 0.996), (20, 0.660), (34, 0.495), (50, 0.404)])
def test_what_can_be_found_is_what_tables_of_power_say(people: int, size: float) -> None:
    """In standard deviations of the paired difference; 34 people for half of one is the usual textbook example."""
    assert detectable(np.ones(1), people)[0] == pytest.approx(size, abs=5e-4)


def test_the_power_at_what_can_be_found_is_four_fifths_by_the_noncentral_t_of_scipy() -> None:
    level, people, spread = 0.05 / 270, 50, 0.3
    size = detectable(np.array([spread]), people, level=level)[0]
    critical = stats.t.ppf(1 - level / 2, people - 1)
    assert 1 - stats.nct.cdf(critical, people - 1, size / spread * np.sqrt(people)) == pytest.approx(0.8)


def test_nothing_can_be_found_with_too_few_people_for_the_level() -> None:
    assert detectable(np.ones(1), 5)[0] == np.inf
    assert np.isfinite(detectable(np.ones(1), 6)[0])
    assert detectable(np.ones(1), 10, level=0.05 / 100)[0] == np.inf
    assert np.isnan(detectable(np.ones(1), 1)[0])
