from dataclasses import replace
from itertools import pairwise

import pytest

from eval.runs.results import Run
from eval.statistics.ranks import Rank, Ranking
from pipeline.store import Store
from reports.charts.rank_chart import FRAME, RankChart, rank_chart, ranks_section
from reports.findings import findings
from reports.legend import legend
from reports.media import Media
from tests.reports.charts.study import BY_ID, NAMES, column, made_up

SSIM = BY_ID["ssim"]


def rank(system: str, place: int, low: int, high: int, groups: str = "a") -> Rank:
    return Rank(system=system, value=1 / place, place=place, low=low, high=high, first=0.5, groups=groups)


RANKING = Ranking(
    metric="ssim",
    shots=8,
    n_identities=20,
    ranks=(rank("a", 1, 1, 2), rank("b", 2, 1, 3, "ab"), rank("c", 3, 2, 3, "b")),
    groups=(("a", "b"), ("b", "c")),
    resampled=True,
)


def drawn(ranking: Ranking = RANKING, *more: str) -> RankChart:
    names = [*(one.system for one in ranking.ranks), *more]
    return rank_chart(ranking, column(SSIM), legend([(name, name) for name in names]), anchor="here")


def test_places_stand_at_equal_distances_with_the_first_on_the_left() -> None:
    chart = drawn()
    first, second, third = (row.x for row in chart.rows)
    assert first == FRAME.left + 10
    assert second - first == pytest.approx(third - second, abs=0.11)
    assert third > second > first
    assert [(tick.at, tick.label) for tick in chart.ticks] == [(first, "1"), (second, "2"), (third, "3")]
    assert chart.rows[1].span == (first, third)


def test_systems_that_share_a_letter_share_a_column_of_letters() -> None:
    chart = drawn()
    rows = [row.y for row in chart.rows]
    assert [(group.letter, group.at) for group in chart.groups] == [("a", tuple(rows[:2])), ("b", tuple(rows[1:]))]
    assert chart.groups[0].x < chart.groups[1].x < FRAME.right
    assert chart.frame.right < chart.groups[0].x, "letters stand beside the places"
    for group in chart.groups:
        assert {row.key.name for row in chart.rows if row.y in group.at} == {
            row.key.name for row in chart.rows if group.letter in row.groups
        }


def test_a_system_without_a_value_stands_below_and_says_so() -> None:
    chart = drawn(RANKING, "d")
    assert [row.key.name for row in chart.rows] == ["a", "b", "c", "d"]
    assert chart.rows[-1].x is None
    assert chart.rows[-1].text == "d: not measurable"


def test_labels_of_places_leave_room_for_one_another() -> None:
    ranks = tuple(rank(f"s{place}", place, place, place, "abcdefghij"[place - 1]) for place in range(1, 11))
    chart = drawn(replace(RANKING, ranks=ranks, groups=tuple((one.system,) for one in ranks)))
    labelled = [tick.at for tick in chart.ticks if tick.label]
    assert len(chart.ticks) == 10
    assert labelled[0] == chart.ticks[0].at
    assert min(one - other for other, one in pairwise(labelled)) >= 17.9


def test_one_person_leaves_every_place_open(run: Run, store: Store) -> None:
    section = ranks_section(findings(made_up(run, people=1), store, Media()))
    assert "too few people to resample" in section.note
    for chart in section.charts:
        assert {row.interval for row in chart.rows} == {f"1 to {len(NAMES)}"}
        assert {row.first for row in chart.rows} == {"–"}
        assert [row.groups for row in chart.rows] == ["a"] * len(NAMES)


def test_the_best_come_first_and_with_many_people_hold_their_place(run: Run, store: Store) -> None:
    section = ranks_section(findings(made_up(run, people=20), store, Media()))
    assert section.note == ""
    for chart in section.charts:
        assert [row.key.name for row in chart.rows] == list(NAMES[::-1])
        assert chart.rows[0].span == (chart.rows[0].x, chart.rows[0].x)
