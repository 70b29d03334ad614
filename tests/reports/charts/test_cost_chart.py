import math
from dataclasses import replace

import pytest

from eval.runs.results import Run
from eval.specs.spec import MetricSpec
from pipeline.store import Store
from reports.charts.cost_chart import FRAME, CostChart, CostedSystem, CostNumbers, cost_chart, tradeoffs_section
from reports.findings import findings
from reports.legend import legend
from reports.media import Media
from tests.reports.charts.study import BY_ID, NAMES, column, made_up

NAN = math.nan
SSIM, LPIPS = BY_ID["ssim"], BY_ID["lpips.alex"]


def system(name: str, value: float, adaptation_s: float, frames_per_s: float = 10.0, half: float = 0.1) -> CostedSystem:
    return CostedSystem(
        system=name,
        value=value,
        low=value - half,
        high=value + half,
        adaptation_s=adaptation_s,
        frames_per_s=frames_per_s,
    )


def drawn(*systems: CostedSystem, spec: MetricSpec = SSIM) -> CostChart:
    numbers = CostNumbers(metric=spec.id, shots=8, systems=systems)
    keys = legend([(one.system, one.system) for one in systems])
    return cost_chart(numbers, spec, column(spec), keys, anchor="here")


def test_decades_stand_at_equal_distances_and_the_shorter_time_to_the_right() -> None:
    time, _ = drawn(system("a", 0.5, 0.01), system("b", 0.6, 1.0), system("c", 0.7, 100.0)).panels
    assert [point.x for point in time.points] == [FRAME.right, (FRAME.left + FRAME.right) / 2, FRAME.left]
    assert [tick.label for tick in time.x_ticks] == ["10 ms", "100 ms", "1 s", "10 s", "100 s"]
    assert time.x_ticks[2].at == time.points[1].x


def test_the_faster_is_to_the_right() -> None:
    _, speed = drawn(system("a", 0.5, 1.0, 10.0), system("b", 0.6, 1.0, 5000.0)).panels
    assert speed.points[0].x < speed.points[1].x
    assert [tick.label for tick in speed.x_ticks] == ["10", "100", "1k", "10k"]


@pytest.mark.parametrize(("spec", "better"), [(SSIM, "b"), (LPIPS, "a")])
def test_better_is_up_whichever_way_the_metric_counts(spec: MetricSpec, better: str) -> None:
    for panel in drawn(system("a", 0.4, 1.0), system("b", 0.6, 2.0), spec=spec).panels:
        assert min(panel.points, key=lambda point: point.y).key.name == better
        for point in panel.points:
            assert point.span[0] < point.y < point.span[1]


def test_a_mark_is_where_the_ticks_say() -> None:
    """From 0.3 to 0.7 with 6% of room at both ends."""
    panel = drawn(system("a", 0.4, 1.0), system("b", 0.6, 2.0)).panels[0]
    height = FRAME.bottom - FRAME.top
    assert panel.points[0].y == pytest.approx(FRAME.bottom - height * (0.4 - 0.276) / 0.448, abs=0.06)
    tick = next(tick for tick in panel.y_ticks if tick.label == "0.4")
    assert tick.at == panel.points[0].y


def test_whoever_has_no_cost_or_no_value_is_listed_below_and_in_the_table() -> None:
    chart = drawn(
        system("a", 0.5, 1.0),
        system("b", 0.5, NAN),
        system("c", 0.5, 1.0, NAN),
        system("d", 0.5, NAN, NAN),
        system("e", NAN, 1.0),
        system("f", 0.5, 0.0),
    )
    time, speed = chart.panels
    assert [point.key.name for point in time.points] == ["a", "c"]
    assert [point.key.name for point in speed.points] == ["a", "b", "f"]
    assert chart.missing == (
        "Not measurable in this metric: e. Cost not known: d. Time to adapt not known: b and f. "
        "Frames a second not known: c."
    )
    assert [row.key.name for row in chart.rows] == list("abcdef")
    assert (chart.rows[1].adaptation, chart.rows[4].value) == ("–", "–")


def test_a_value_without_interval_has_no_line() -> None:
    (point, *_) = drawn(replace(system("a", 0.5, 1.0), low=NAN, high=NAN), system("b", 0.6, 1.0)).panels[0].points
    assert point.span is None


def test_one_person_gives_no_interval(run: Run, store: Store) -> None:
    section = tradeoffs_section(findings(made_up(run, people=1), store, Media()))
    assert {point.span for chart in section.charts for panel in chart.panels for point in panel.points} == {None}


def test_everybody_has_a_place_in_every_metric_that_was_measured(run: Run, store: Store) -> None:
    section = tradeoffs_section(findings(made_up(run, people=5), store, Media()))
    assert len(section.charts) == 5, "the Frechet distance was not measured"
    for chart in section.charts:
        assert [point.key.name for point in chart.panels[0].points] == list(NAMES[:-1])
        assert chart.missing == f"Cost not known: {NAMES[-1]}."


def test_a_run_without_any_cost_has_no_such_section(run: Run, store: Store) -> None:
    assert tradeoffs_section(findings(made_up(run, costs=False), store, Media())) is None


def test_the_order_of_systems_moves_no_mark() -> None:
    systems = [system("a", 0.5, 0.2), system("b", 0.6, 3.0), system("c", 0.4, 70.0)]
    one, other = drawn(*systems), drawn(*systems[::-1])
    for ours, theirs in zip(one.panels, other.panels, strict=True):
        assert {(point.key.name, point.x, point.y) for point in ours.points} == {
            (point.key.name, point.x, point.y) for point in theirs.points
        }
