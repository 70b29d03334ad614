import numpy as np
import pytest

from eval.specs.image import SSIM
from eval.specs.profiles import SPECS
from eval.statistics.comparisons import every_pair
from eval.statistics.panel import panels
from eval.statistics.ranks import Ranking, groups, letter, rankings
from tests.eval.statistics.test_comparisons import scores_of
from tests.eval.statistics.test_statistics import set_rows, table

LPIPS = next(spec for spec in SPECS["embedded"] if spec.id == "lpips.alex")
FD = next(spec for spec in SPECS["embedded"] if spec.level == "set")


def separations(count: int, *pairs: tuple[int, int]) -> np.ndarray:
    found = np.zeros((count, count), dtype=bool)
    for one, other in pairs:
        found[one, other] = found[other, one] = True
    return found


def ranking(values: dict[str, np.ndarray], spec=SSIM) -> Ranking:
    found = panels(scores_of({(name, 8): of for name, of in values.items()}, spec.id), [spec])
    (only,) = rankings(found, every_pair(found))
    return only


def test_systems_that_nothing_separates_are_one_group() -> None:
    assert groups("abc", separations(3)) == (("a", "b", "c"),)


def test_a_system_between_two_that_are_separated_is_in_both_groups() -> None:
    assert groups("abc", separations(3, (0, 2))) == (("a", "b"), ("b", "c"))


def test_systems_that_are_all_separated_are_alone() -> None:
    assert groups("abc", separations(3, (0, 1), (0, 2), (1, 2))) == (("a",), ("b",), ("c",))


def test_groups_need_not_be_neighbours() -> None:
    """Where b is separated from everybody, a and c still are not."""
    assert groups("abc", separations(3, (0, 1), (1, 2))) == (("a", "c"), ("b",))


def test_two_systems_share_a_group_exactly_where_they_are_not_separated() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        apart = np.triu(rng.random((7, 7)) < 0.4, k=1)
        apart |= apart.T
        found = groups("abcdefg", apart)
        together = np.array([[any({x, y} <= set(group) for group in found) for y in "abcdefg"] for x in "abcdefg"])
        assert (together == ~apart).all()
        assert not any(set(one) < set(other) for one in found for other in found)


def test_every_group_has_a_letter_of_its_own() -> None:
    assert len({letter(place) for place in range(70)}) == 70


def people(mean: float, seed: int, count: int = 20, spread: float = 0.02) -> np.ndarray:
    return mean + np.random.default_rng(seed).normal(0, spread, count)


def test_clear_places_are_certain_and_close_ones_are_not() -> None:
    found = ranking({"low": people(0.2, 1), "one": people(0.601, 2), "two": people(0.600, 3)})
    best, second, last = found.ranks
    assert {best.system, second.system} == {"one", "two"}
    assert (best.place, best.low, best.high) == (1, 1, 2)
    assert (second.low, second.high) == (1, 2)
    assert (last.system, last.place, last.low, last.high, last.first) == ("low", 3, 3, 3, 0)
    assert best.first + second.first == pytest.approx(1)
    assert found.groups == ((best.system, second.system), ("low",))
    assert [rank.groups for rank in found.ranks] == ["a", "a", "b"]
    assert found.not_separated_from_best == (best.system, second.system)
    assert found.resampled


def test_direction_decides_who_is_first() -> None:
    values = {"low": people(0.2, 1), "high": people(0.6, 2)}
    assert [rank.system for rank in ranking(values).ranks] == ["high", "low"]
    assert [rank.system for rank in ranking(values, LPIPS).ranks] == ["low", "high"]


def test_systems_that_show_the_same_share_a_place_and_a_group() -> None:
    same = people(0.5, 1)
    found = ranking({"one": same, "two": same, "less": same - 0.2})
    assert [(rank.place, rank.low, rank.high) for rank in found.ranks] == [(1, 1, 1), (1, 1, 1), (3, 3, 3)]
    assert found.groups == (("one", "two"), ("less",))


def test_three_people_leave_every_place_open_though_all_agree() -> None:
    found = ranking(
        {"best": people(0.9, 1, 3, 0.001), "mid": people(0.5, 2, 3, 0.001), "low": people(0.1, 3, 3, 0.001)}
    )
    assert [(rank.low, rank.high) for rank in found.ranks] == [(1, 3)] * 3
    assert found.groups == (("best", "mid", "low"),)
    assert not found.resampled
    assert np.isnan([rank.first for rank in found.ranks]).all()


def test_nine_people_are_too_few_to_resample_but_may_separate() -> None:
    found = ranking({"best": people(0.9, 1, 9), "low": people(0.1, 3, 9)})
    assert [(rank.low, rank.high) for rank in found.ranks] == [(1, 1), (2, 2)]
    assert not found.resampled


def test_distances_over_sets_are_ranked_by_their_jackknife() -> None:
    rng = np.random.default_rng(0)
    names = [f"p{place:02d}" for place in range(12)]

    def rows(system: str, value: float) -> list[dict]:
        return set_rows(value, {name: value + rng.normal(0, 0.05) for name in names}, system=system, frames=1)

    found = panels(table(*rows("a", 10.0), *rows("b", 10.2), *rows("c", 30.0)), [FD])
    (only,) = rankings(found, every_pair(found))
    assert [(rank.system, rank.low, rank.high) for rank in only.ranks] == [("a", 1, 2), ("b", 1, 2), ("c", 3, 3)]
    assert only.groups == (("a", "b"), ("c",))


def test_one_system_has_no_place() -> None:
    found = panels(scores_of({("a", 8): people(0.5, 1)}), [SSIM])
    assert rankings(found, ()) == ()
