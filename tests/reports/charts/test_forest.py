import math
from dataclasses import replace

import pyarrow as pa
import pytest

from eval.runs.results import Run
from eval.specs.spec import MetricSpec
from eval.statistics.difference import Difference
from pipeline.store import Store
from reports.charts.forest import FRAME, Forest, ForestNumbers, ForestRow, differences_section, forest
from reports.findings import Findings, findings
from reports.legend import legend
from reports.media import Media
from tests.reports.charts.study import BY_ID, NAMES, column, made_up

NAN = float("nan")
SSIM, LPIPS = BY_ID["ssim"], BY_ID["lpips.alex"]


def difference(system: str, value: float, low: float, high: float, **changes: object) -> Difference:
    known = Difference(
        system=system,
        shots=8,
        baseline="best",
        baseline_shots=8,
        metric="ssim",
        value=value,
        low=low,
        high=high,
        n_identities=20,
        test="sign-flip, all",
        p=0.01,
        p_holm=0.02,
        family=3,
        smallest_p=1e-5,
        typical=value,
        superiority=0.2,
        rank_biserial=-0.5,
        detectable=0.04,
        verdict="not separated",
    )
    return replace(known, **changes)


def drawn(*differences: Difference, spec: MetricSpec = SSIM, not_run: tuple[str, ...] = ()) -> Forest:
    names = ["best", *(one.system for one in differences), *not_run]
    numbers = ForestNumbers(
        metric=spec.id, shots=8, against="best", role="leader", differences=differences, not_run=not_run
    )
    return forest(numbers, spec, column(spec), legend([(name, name) for name in names]), anchor="here")


def of_run(run: Run, store: Store, **changes: object) -> Findings:
    return findings(made_up(run, **changes), store, Media())


def test_a_difference_lies_where_the_ticks_say() -> None:
    """From -0.1 to 0 with 6% of room at both ends, over the width of the frame."""
    plot = drawn(difference("a", -0.06, -0.1, -0.02))
    (row,) = plot.rows
    width = FRAME.right - FRAME.left
    assert row.x == pytest.approx(FRAME.left + width * (0.046 / 0.112), abs=0.06)
    assert row.span == pytest.approx((FRAME.left + width * 0.006 / 0.112, FRAME.left + width * 0.086 / 0.112), abs=0.06)
    assert plot.zero_x == pytest.approx(FRAME.left + width * 0.106 / 0.112, abs=0.06)
    assert [tick.label for tick in plot.ticks if tick.at == plot.zero_x] == ["0.00"]


def test_better_is_to_the_right_whichever_way_the_metric_counts() -> None:
    up, down = (drawn(difference("a", -0.05, -0.08, -0.02), spec=spec) for spec in (SSIM, LPIPS))
    assert up.rows[0].x < up.zero_x, "less SSIM is worse"
    assert down.rows[0].x > down.zero_x, "less LPIPS is better"
    assert down.ticks[-1].at < down.ticks[0].at


def test_an_interval_runs_from_left_to_right_on_a_turned_axis_too() -> None:
    for spec in (SSIM, LPIPS):
        low, high = drawn(difference("a", -0.05, -0.08, -0.02), spec=spec).rows[0].span
        assert low < high


def test_the_band_is_what_could_not_be_found_and_ends_with_the_axis() -> None:
    narrow, wide, none = drawn(
        difference("a", -0.1, -0.2, 0.1, detectable=0.05),
        difference("b", -0.1, -0.2, 0.1, detectable=9.0),
        difference("c", -0.1, -0.2, 0.1, detectable=math.inf),
    ).rows
    width = FRAME.right - FRAME.left
    assert narrow.band[1] - narrow.band[0] == pytest.approx(width * 0.1 / 0.336, abs=0.2)
    assert wide.band == none.band == (FRAME.left, FRAME.right)
    assert none.detectable == "none"


def test_what_is_separated_is_filled_and_what_is_not_is_hollow() -> None:
    far, near = drawn(difference("a", -0.1, -0.2, -0.05, verdict="worse"), difference("b", -0.1, -0.2, 0.1)).rows
    assert (far.separated, near.separated) == (True, False)


def test_one_person_gives_a_mark_and_no_interval_and_no_band(run: Run, store: Store) -> None:
    section = differences_section(of_run(run, store, people=1))
    for plot in (*section.leaders, *section.floors):
        for row in plot.rows:
            assert (row.span, row.band, row.interval, row.p) == (None, None, "–", "–")
            assert row.x is not None
            assert row.verdict == "not separated"


def test_what_was_not_measured_or_not_run_is_named_and_not_left_out() -> None:
    plot = drawn(difference("a", -0.1, -0.2, 0.1), difference("b", NAN, NAN, NAN), not_run=("c",))
    assert [(row.key.name, row.x is None, row.verdict) for row in plot.rows] == [
        ("a", False, "not separated"),
        ("b", True, "not measurable"),
        ("c", True, "not run"),
    ]


def test_all_but_the_best_are_compared_with_it_the_best_of_them_first(run: Run, store: Store) -> None:
    section = differences_section(of_run(run, store, people=20))
    for plot in section.leaders:
        assert plot.against.name == NAMES[-1]
        assert [row.key.name for row in plot.rows] == list(NAMES[-2::-1])
        places = [row.x for row in plot.rows]
        assert places == sorted(places, reverse=True)
        assert plot.rows[-1].separated


def test_the_floor_is_the_best_that_learned_nothing(run: Run, store: Store) -> None:
    section = differences_section(of_run(run, store, people=20))
    for plot in section.floors:
        assert plot.against.name == "warp-nearest"
        assert {row.key.name for row in plot.rows if row.x > plot.zero_x} == set(NAMES[3:])


def test_where_the_floor_leads_there_is_no_second_plot(run: Run, store: Store) -> None:
    assert differences_section(of_run(run, store, systems=("own", "copy-source"))).floors == ()


def test_one_system_has_nothing_to_be_compared_with(run: Run, store: Store) -> None:
    assert differences_section(of_run(run, store, systems=("own",))) is None


def test_the_order_of_rows_changes_nothing(run: Run, store: Store) -> None:
    def rows(scores: pa.Table) -> list[list[ForestRow]]:
        mixed = replace(made_up(run, people=6), scores=scores)
        return [list(plot.rows) for plot in differences_section(findings(mixed, store, Media())).leaders]

    scores = made_up(run, people=6).scores
    one, other = rows(scores), rows(scores.take(pa.array(range(len(scores)))[::-1]))
    for ours, theirs in zip(one, other, strict=True):
        assert [(row.key, row.y, row.difference, row.p) for row in ours] == [
            (row.key, row.y, row.difference, row.p) for row in theirs
        ]
        assert [row.x for row in ours] == pytest.approx([row.x for row in theirs], abs=0.11)
