import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from eval.specs.image import SSIM
from eval.specs.profiles import SPECS
from eval.statistics.agreement import Agreement, agreements, tau_without_each
from eval.statistics.intervals import jackknife_interval
from eval.statistics.panel import panels
from tests.eval.statistics.test_comparisons import scores_of
from tests.eval.statistics.test_statistics import FD, NAN, set_rows, table

LPIPS = next(spec for spec in SPECS["embedded"] if spec.id == "lpips.alex")


def agreement(ssim: np.ndarray, lpips: np.ndarray) -> Agreement:
    """Of two metrics; values are (systems, people)."""
    scores = [
        scores_of({(f"s{place}", 8): row for place, row in enumerate(values)}, spec.id)
        for values, spec in ((ssim, SSIM), (lpips, LPIPS))
    ]
    (found,) = agreements(panels(pa.concat_tables(scores), [SSIM, LPIPS]), 8)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_tau_is_scipys_with_and_without_each_person(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = np.round(rng.random((2, 60)), 1 + seed % 2)  # with and without many ties
    people = rng.permutation(np.arange(60) % 7)
    tau, without = tau_without_each(one, other, people)
    assert tau == pytest.approx(stats.kendalltau(one, other).statistic)
    left = [stats.kendalltau(one[people != each], other[people != each]).statistic for each in range(7)]
    assert without == pytest.approx(left)


def test_metrics_that_rank_alike_agree_though_one_counts_downwards() -> None:
    values = np.random.default_rng(0).random((3, 5))
    assert agreement(values, 1 - values).tau == 1
    assert agreement(values, values).tau == -1


def test_a_pair_of_four_that_is_swapped_is_four_steps_in_six() -> None:
    found = agreement(np.array([[0.1, 0.2, 0.3, 0.4]]), 1 - np.array([[0.2, 0.1, 0.3, 0.4]]))
    assert found.tau == pytest.approx(4 / 6)
    assert (found.n_results, found.n_identities) == (4, 4)


def test_the_interval_is_the_jackknife_over_people_and_ends_at_one() -> None:
    rng = np.random.default_rng(2)
    ssim = rng.random((4, 8))
    lpips = 0.5 - 0.2 * ssim + rng.normal(0, 0.05, ssim.shape)
    found = agreement(ssim, lpips)
    without = [
        stats.kendalltau(np.delete(ssim, place, 1).ravel(), -np.delete(lpips, place, 1).ravel()).statistic
        for place in range(8)
    ]
    low, high = jackknife_interval(found.tau, np.array(without))
    assert (found.low, found.high) == pytest.approx((float(low), min(float(high), 1.0)))


def test_one_person_gives_a_value_and_no_interval() -> None:
    found = agreement(np.array([[0.1], [0.2], [0.3]]), 1 - np.array([[0.1], [0.3], [0.2]]))
    assert found.tau == pytest.approx(1 / 3)
    assert np.isnan([found.low, found.high]).all()
    assert found.n_identities == 1


def test_what_one_metric_could_not_measure_is_left_out_of_both() -> None:
    ssim = np.array([[0.1, 0.2, NAN], [0.5, 0.4, NAN]])
    lpips = np.array([[0.9, 0.8, 0.1], [0.5, 0.6, 0.2]])
    found = agreement(ssim, lpips)
    assert (found.tau, found.n_results, found.n_identities) == (1, 4, 2)


def test_a_metric_that_tells_nothing_apart_agrees_with_nothing() -> None:
    assert np.isnan(agreement(np.full((2, 3), 0.5), np.random.default_rng(0).random((2, 3))).tau)


def test_the_order_of_rows_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    scores = pa.concat_tables(
        scores_of({(name, 8): rng.random(6) for name in "abc"}, spec.id) for spec in (SSIM, LPIPS)
    )
    mixed = scores.take(pa.array(rng.permutation(len(scores))))
    one, other = (agreements(panels(each, [SSIM, LPIPS]), 8)[0] for each in (scores, mixed))
    assert (one.tau, one.low, one.high) == pytest.approx((other.tau, other.low, other.high))


def test_a_set_level_metric_takes_no_part() -> None:
    rows = pa.concat_tables([table(*set_rows(10.0, {"p00": 11.0, "p01": 9.0})), scores_of({("a", 1): np.ones(2)})])
    assert agreements(panels(rows, [SSIM, FD]), 1) == ()
