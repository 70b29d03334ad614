"""The geometry of the charts."""

from dataclasses import replace

import numpy as np
import pytest

from eval.runs.results import Run
from eval.specs.profiles import SPECS
from eval.statistics.cells import Cell, summarise
from reports.charts.curves import CHART, Curve, curves
from reports.leads import Comparisons, leads
from reports.legend import legend
from reports.table import main_table, within_range

SPEC = SPECS["embedded"][1]


def curve_of(cells: list[Cell]) -> Curve:
    keys = legend([(name, name) for name in dict.fromkeys(cell.system for cell in cells)])
    return curves(cells, [SPEC], main_table(cells, [SPEC], [], keys), keys)[0]


def cell(system: str, shots: int, value: float, half: float = 0.01) -> Cell:
    return Cell(
        system=system,
        shots=shots,
        metric=SPEC.id,
        value=value,
        low=value - half,
        high=value + half,
        n_identities=3,
        n_frames=96,
        n_failed=0,
        value_measured_only=value,
    )


def places(points: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in points.split())]


def test_shots_stand_at_equal_ratios_and_values_upwards() -> None:
    curve = curve_of([cell("one", shots, value) for shots, value in ((1, 0.2), (4, 0.4), (16, 0.6))])
    (x1, y1), (x2, y2), (x3, y3) = places(curve.series[0].line)
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)
    assert y1 > y2 > y3, "SVG counts downwards"
    assert [tick.label for tick in curve.x_ticks] == ["1", "4", "16"]


def test_a_line_passes_where_the_ticks_say() -> None:
    curve = curve_of([cell("one", 1, 0.4137), cell("one", 8, 0.6)])
    labels, heights = zip(*((float(tick.label), tick.at) for tick in curve.y_ticks), strict=True)
    (_, y1), (_, y2) = places(curve.series[0].line)
    assert np.interp([0.4137, 0.6], labels, heights) == pytest.approx([y1, y2], abs=0.11)


def test_a_band_runs_along_the_upper_ends_and_back_along_the_lower() -> None:
    curve = curve_of([cell("one", 1, 0.2, 0.02), cell("one", 8, 0.6, 0.04)])
    assert curve.banded
    upper_left, upper_right, lower_right, lower_left = places(curve.series[0].band)
    assert upper_left[0] == lower_left[0] < upper_right[0] == lower_right[0]
    assert lower_right[1] - upper_right[1] == pytest.approx(2 * (lower_left[1] - upper_left[1]), abs=0.3)


def test_everything_drawn_lies_within_the_frame(run: Run) -> None:
    cells = within_range(summarise(run.scores, run.record.specs), run.record.specs)
    keys = legend([(system.name, system.title) for system in run.record.systems])
    leading = leads(cells, run.record.specs, Comparisons(run.scores, run.record.specs))
    drawn = curves(cells, run.record.specs, main_table(cells, run.record.specs, leading, keys), keys)
    assert len(drawn) == len(run.record.specs)
    for curve in drawn:
        for series in curve.series:
            for x, y in places(series.line) + places(series.band):
                assert CHART.left <= x <= CHART.right
                assert CHART.top - 0.1 <= y <= CHART.bottom + 0.1


def test_bands_that_would_hide_the_lines_move_beside_the_numbers() -> None:
    curve = curve_of([cell("one", 1, 0.50, 0.4), cell("one", 8, 0.51, 0.4), cell("two", 1, 0.52, 0.4)])
    assert not curve.banded
    assert not any(series.band for series in curve.series)
    assert curve.rows[0].spark.band


def test_one_number_of_shots_is_one_point_in_the_middle() -> None:
    curve = curve_of([cell("one", 8, 0.5)])
    ((x, _),) = places(curve.series[0].line)
    assert x == pytest.approx((CHART.left + CHART.right) / 2, abs=0.1)


def test_a_value_without_interval_has_no_band() -> None:
    nan = float("nan")
    curve = curve_of([replace(cell("one", shots, 0.5), low=nan, high=nan) for shots in (1, 8)])
    assert curve.rows[0].spark.band == ""


def test_a_metric_that_nobody_could_measure_has_no_chart() -> None:
    cells = [replace(cell("one", 8, 0.5), value=float("nan"))]
    keys = legend([("one", "one")])
    assert curves(cells, [SPEC], main_table(cells, [SPEC], [], keys), keys) == ()
