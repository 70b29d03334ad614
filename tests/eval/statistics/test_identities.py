import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from eval.specs.image import SSIM
from eval.specs.profiles import SPECS
from eval.statistics.identities import IdentityTable, hardest_first, hardness, identity_tables
from eval.statistics.panel import panels
from tests.eval.statistics.test_comparisons import scores_of
from tests.eval.statistics.test_statistics import FD, NAN, set_rows, table

LPIPS = next(spec for spec in SPECS["embedded"] if spec.id == "lpips.alex")


def of_person(metric: str, hard: dict[str, float]) -> IdentityTable:
    return IdentityTable(
        metric=metric,
        shots=8,
        systems=("a",),
        identities=tuple(hard),
        values=tuple((0.5,) for _ in hard),
        mean=tuple(0.5 for _ in hard),
        hardness=tuple(hard.values()),
    )


def test_hardness_is_the_share_of_others_that_are_easier() -> None:
    """The same as scipy's percentile of each person among the others, averaged over systems."""
    rng = np.random.default_rng(0)
    values = np.round(rng.random((9, 4)), 1)  # with ties
    expected = [
        np.mean([100 - stats.percentileofscore(np.delete(of, place), of[place], "mean") for of in values.T]) / 100
        for place in range(9)
    ]
    assert hardness(values, higher_is_better=True) == pytest.approx(expected)
    assert hardness(values, higher_is_better=False) == pytest.approx(1 - np.array(expected))


def test_whoever_is_worst_for_every_system_is_hardest_whatever_the_scale() -> None:
    values = np.array([[0.9, 30.0], [0.5, 20.0], [0.7, 25.0]])
    assert hardness(values, higher_is_better=True) == pytest.approx([0, 1, 0.5])
    assert hardness(values**3, higher_is_better=True) == pytest.approx([0, 1, 0.5])


def test_a_person_whom_a_system_lacks_is_judged_by_the_others() -> None:
    """The mean would say that the first person is easy, because the bad system is not in it."""
    values = np.array([[0.5, NAN], [0.6, 0.1], [0.7, 0.2]])
    assert hardness(values, higher_is_better=True) == pytest.approx([1, 0.75, 0])


def test_nobody_is_hard_alone() -> None:
    assert np.isnan(hardness(np.array([[0.5, 0.6]]), higher_is_better=True)).all()
    assert np.isnan(hardness(np.array([[NAN, NAN], [0.5, 0.6], [0.4, 0.3]]), higher_is_better=True)[0])


def test_a_table_has_each_persons_value_from_each_system_and_their_mean() -> None:
    scores = scores_of(
        {("a", 8): np.array([0.5, 0.7, NAN]), ("b", 8): np.array([0.6, 0.9, NAN]), ("b", 1): np.zeros(3)}
    )
    (found,) = identity_tables(panels(scores, [SSIM]), 8)
    assert (found.systems, found.identities, found.shots) == (("a", "b"), ("p00", "p01", "p02"), 8)
    assert found.values[:2] == ((0.5, 0.6), (0.7, 0.9))
    assert found.mean[:2] == pytest.approx((0.55, 0.8))
    assert found.hardness[:2] == (1, 0)
    assert np.isnan([*found.values[2], found.mean[2], found.hardness[2]]).all(), "not measurable, and not left out"


def test_a_system_that_was_not_run_with_so_many_shots_has_no_column() -> None:
    scores = scores_of({("a", 1): np.array([0.5, 0.7]), ("b", 8): np.array([0.6, 0.9])})
    (found,) = identity_tables(panels(scores, [SSIM]), 8)
    assert found.systems == ("b",)


def test_a_set_level_metric_has_no_person() -> None:
    assert identity_tables(panels(table(*set_rows(10.0, {"ann": 11.0, "bob": 9.0})), [FD]), 1) == ()


def test_the_nameless_rows_of_a_set_level_metric_are_nobody() -> None:
    rows = pa.concat_tables(
        [table(*set_rows(10.0, {"p00": 11.0, "p01": 9.0})), scores_of({("a", 1): np.array([0.5, 0.7])})]
    )
    (found,) = identity_tables(panels(rows, [SSIM, FD]), 1)
    assert found.identities == ("p00", "p01")


def test_the_hardest_over_all_metrics_come_first() -> None:
    tables = [
        of_person("ssim", {"ann": 0.2, "bob": 0.9, "eve": NAN}),
        of_person("lpips.alex", {"ann": 0.6, "bob": 0.5, "eve": NAN}),
    ]
    assert hardest_first(tables) == ("bob", "ann", "eve")
    assert hardest_first(tables[::-1]) == ("bob", "ann", "eve")


def test_a_metric_for_which_less_is_better_turns_the_order() -> None:
    one, other = (
        identity_tables(panels(scores_of({("a", 8): np.array([0.1, 0.3, 0.2])}, spec.id), [spec]), 8)[0]
        for spec in (SSIM, LPIPS)
    )
    assert isinstance(one.hardness[0], float)
    assert one.hardness == pytest.approx([1, 0, 0.5])
    assert other.hardness == pytest.approx([0, 1, 0.5])


def test_the_order_of_rows_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    scores = scores_of({(name, 8): rng.random(6) for name in "abc"})
    mixed = scores.take(pa.array([0, *(1 + rng.permutation(len(scores) - 1))]))
    one, other = (identity_tables(panels(each, [SSIM]), 8)[0] for each in (scores, mixed))
    assert hardest_first([one]) == hardest_first([other])
    turn = [other.systems.index(name) for name in one.systems]
    assert [tuple(row[place] for place in turn) for row in other.values] == list(one.values)
