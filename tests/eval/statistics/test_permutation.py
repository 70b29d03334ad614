import numpy as np
import pytest
from scipy import stats

from eval.statistics.intervals import jackknife_error
from eval.statistics.permutation import FEWEST_FLIPS, holm, jackknife_p, sign_flip_p, smallest_p

RNG = np.random.default_rng(0)


def p_of(*differences: float) -> float:
    return float(sign_flip_p(np.array([differences], dtype=float))[0])


def test_three_people_who_agree_give_a_quarter_and_no_less() -> None:
    """Of the eight patterns of signs two reach the sum: all plus and all minus."""
    assert p_of(5.0, 6.0, 7.0) == smallest_p(3) == 0.25


def test_a_hand_counted_case() -> None:
    """The sums of +-1 +-2 +-4 +-8 are the odd numbers from -15 to 15; 1 + 2 + 4 - 8 = -1 is as near to zero as any."""
    assert p_of(1, 2, 4, -8) == 1
    assert p_of(1, 2, 4, 8) == 2 / 16
    assert p_of(-1, 2, 4, 8) == 4 / 16


@pytest.mark.parametrize("people", [2, 5, 8, 11])
def test_enumeration_equals_scipys(people: int) -> None:
    for differences in RNG.normal(0.4, 1, (4, people)):
        expected = stats.permutation_test(
            (differences,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=False
        )
        assert p_of(*differences) == pytest.approx(expected.pvalue, abs=1e-12)


def test_enumeration_of_whole_numbers_counts_ties() -> None:
    """Ranks as differences: the test is then Wilcoxon's, whose exact p are tabled."""
    signed = np.array([1, 2, 3, 4, 5, 6, 7, -8, 9, 10], dtype=float)
    assert p_of(*signed) == pytest.approx(stats.wilcoxon(signed, method="exact").pvalue)


def test_drawn_patterns_come_near_to_all_patterns() -> None:
    """Wilcoxon's exact p at 30 people, beside ours over the same ranks."""
    signed = np.arange(1, 31) * np.where(np.arange(30) % 3 == 0, -1.0, 1.0)
    expected = stats.wilcoxon(signed, method="exact").pvalue
    (found,) = sign_flip_p(signed[None], family=2_000)
    assert found == pytest.approx(expected, abs=4 * np.sqrt(expected / 80_000))


def test_many_people_who_agree_leave_one_pattern_of_all_that_were_drawn() -> None:
    assert sign_flip_p(np.ones((1, 40)))[0] == pytest.approx(1 / (1 + FEWEST_FLIPS))


def test_a_large_family_draws_enough_patterns_to_be_separable_after_the_correction() -> None:
    p = sign_flip_p(np.ones((1, 40)), family=5_000)
    assert p[0] * 5_000 <= 0.025


def test_the_same_scores_give_the_same_p() -> None:
    gaps = RNG.normal(0.2, 1, (3, 30))
    assert (sign_flip_p(gaps) == sign_flip_p(gaps)).all()


@pytest.mark.parametrize("people", [7, 30])
def test_order_scale_and_direction_do_not_matter(people: int) -> None:
    gaps = RNG.normal(0.3, 1, (1, people))
    expected = sign_flip_p(gaps)[0]
    assert sign_flip_p(1e-3 * gaps)[0] == pytest.approx(expected)
    assert sign_flip_p(-gaps)[0] == pytest.approx(expected)
    tolerance = 0 if people <= 20 else 4 * np.sqrt(expected / FEWEST_FLIPS)
    assert sign_flip_p(gaps[:, ::-1])[0] == pytest.approx(expected, abs=tolerance + 1e-12)


def test_larger_differences_give_smaller_p() -> None:
    noise = RNG.normal(0, 1, 15)
    p = sign_flip_p(np.stack([noise + shift for shift in (1.0, 2.0, 3.0)]))
    assert p[0] > p[1] > p[2]


@pytest.mark.parametrize("people", [5, 30])
def test_equal_systems_have_p_one(people: int) -> None:
    assert sign_flip_p(np.zeros((1, people)))[0] == 1


@pytest.mark.parametrize("people", [0, 1])
def test_below_two_people_there_is_no_test(people: int) -> None:
    assert np.isnan(sign_flip_p(np.ones((1, people)))).all()
    assert np.isnan(jackknife_p(np.ones(1), np.ones((1, people)))).all()


def test_the_jackknife_of_a_mean_has_the_p_of_the_t_test() -> None:
    values = RNG.normal(0.3, 1, 30)
    without = (values.sum() - values) / (len(values) - 1)
    (found,) = jackknife_p(np.array([values.mean()]), without[None])
    assert found == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    assert jackknife_error(without) == pytest.approx(stats.sem(values))


def test_the_jackknife_claims_no_more_than_the_number_of_people_allows() -> None:
    assert jackknife_p(np.array([5.0]), np.array([[5.0, 5.001, 4.999]])) == smallest_p(3)


def test_a_distance_that_was_refused_has_no_p() -> None:
    assert np.isnan(jackknife_p(np.array([np.nan]), np.array([[1.0, 2.0, 3.0]]))[0])


def test_holm_is_that_of_the_textbook() -> None:
    """Holm 1979: .01, .04, .03 of three become .03, .06 and .06."""
    assert holm(np.array([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.06, 0.06])
    assert holm(np.array([0.5, 0.9])) == pytest.approx([1, 1])
    assert holm(np.array([0.02])) == pytest.approx([0.02])


def test_holm_leaves_out_what_was_not_tested() -> None:
    found = holm(np.array([0.01, np.nan, 0.04]))
    assert found[[0, 2]] == pytest.approx([0.02, 0.04])
    assert np.isnan(found[1])
    assert holm(np.array([])).shape == (0,)
