"""Metric against shots: the geometry of a line chart with interval bands, which a template draws as SVG."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from eval.specs.spec import MetricSpec
from eval.statistics.cells import Cell
from reports.charts.axis import Frame, Tick, nice_step, step_places
from reports.charts.caption import Caption
from reports.findings import Findings
from reports.legend import SystemKey
from reports.numbers import interval, listing, number, plural
from reports.table import Column, MainTable, TableCell

WIDTH, HEIGHT = 400, 268
LEFT, RIGHT, TOP, BOTTOM = 50.0, 16.0, 14.0, 40.0
SPARK_WIDTH, SPARK_HEIGHT, SPARK_MARGIN = 104, 38, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value, and what a pointer resting on it reads."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One system's line."""

    key: SystemKey
    line: str
    """Points of an SVG polyline."""
    band: str
    """Points of an SVG polygon around the intervals; empty where there are none or they would hide the lines."""
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveRow:
    """One system in the table beside the chart."""

    key: SystemKey
    cells: tuple[TableCell, ...]
    spark: Series
    """The line alone with its band, at a scale on which every system's interval fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The chart of one metric with the same numbers as a table."""

    caption: Caption
    column: Column
    shots: tuple[int, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    series: tuple[Series, ...]
    rows: tuple[CurveRow, ...]
    banded: bool
    """Whether the chart has bands; without, the intervals are wider than all lines together."""


def curves(
    cells: Sequence[Cell],
    specs: Sequence[MetricSpec],
    table: MainTable,
    keys: Mapping[str, SystemKey],
    *,
    beside: Sequence[Cell] = (),
    over: str = "",
) -> tuple[Curve, ...]:
    """Return the chart of each metric that has a value.

    Args:
        cells: All cells of the run.
        specs: The metrics, in the order of the main table's columns.
        table: The main table, of which the numbers are repeated beside each chart.
        keys: The systems, in order.
        beside: Cells of another chart that is to have the same axes.
        over: Which frames these are, such as "far frames"; empty where it is all of them and there is no other chart.
    """
    return tuple(
        _curve(_of(cells, spec), spec, table, place, keys, beside=_of(beside, spec), over=over)
        for place, spec in enumerate(specs)
        if any(cell.metric == spec.id and math.isfinite(cell.value) for cell in cells)
    )


def _of(cells: Sequence[Cell], spec: MetricSpec) -> list[Cell]:
    return [cell for cell in cells if cell.metric == spec.id]


def _curve(
    cells: Sequence[Cell],
    spec: MetricSpec,
    table: MainTable,
    place: int,
    keys: Mapping[str, SystemKey],
    *,
    beside: Sequence[Cell],
    over: str,
) -> Curve:
    column = table.columns[place]
    shots = tuple(group.shots for group in table.groups)
    known = [cell for cell in cells if math.isfinite(cell.value)]
    on_axes = [*known, *(cell for cell in beside if math.isfinite(cell.value))]
    banded = _bands_help(on_axes)
    axes = _axes(on_axes, spec, shots, banded=banded)
    small = _spark_axes(known, shots)
    of_system = {name: [cell for cell in known if cell.system == name] for name in keys}
    return Curve(
        caption=Caption(
            anchor="-".join(("curve", *over.split(), str(place + 1))),
            title=f"{column.title} against shots{f' over {over}' if over else ''}, one line for each system",
            description=f"{plural(len(keys), 'system')} at {listing(map(str, shots))} "
            f"{'shot' if shots == (1,) else 'shots'}, shots on a logarithmic scale; {column.direction}. The numbers "
            "are in the tables of the page.",
        ),
        column=column,
        shots=shots,
        x_ticks=tuple(Tick(at=axes.x(count), label=str(count)) for count in shots),
        y_ticks=tuple(_y_ticks(axes)),
        series=tuple(_series(of_system[name], key, axes, column.places, banded=banded) for name, key in keys.items()),
        rows=tuple(
            CurveRow(
                key=row.key,
                cells=tuple(group.rows[line].cells[place] for group in table.groups),
                spark=_series(of_system[row.key.name], row.key, small, column.places, banded=True),
            )
            for line, row in enumerate(table.groups[0].rows)
        ),
        banded=banded,
    )


CHART = Frame(left=LEFT, right=WIDTH - RIGHT, top=TOP, bottom=HEIGHT - BOTTOM)
SPARK = Frame(left=SPARK_MARGIN, right=SPARK_WIDTH - SPARK_MARGIN, top=SPARK_MARGIN, bottom=SPARK_HEIGHT - SPARK_MARGIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axes:
    """From shots and values to the drawing's coordinates; shots on a logarithmic scale."""

    frame: Frame
    shots: tuple[int, ...]
    low: float
    high: float
    step: float

    def x(self, shots: int) -> float:
        inner = self.frame.right - self.frame.left
        if len(self.shots) == 1:
            return self.frame.left + inner / 2
        first, last = math.log2(self.shots[0]), math.log2(self.shots[-1])
        margin = 0.06 * inner
        share = (math.log2(shots) - first) / (last - first)
        return round(self.frame.left + margin + (inner - 2 * margin) * share, 1)

    def y(self, value: float) -> float:
        inner = self.frame.bottom - self.frame.top
        return round(self.frame.top + inner * (self.high - value) / (self.high - self.low), 1)


def _bands_help(cells: Sequence[Cell]) -> bool:
    """Return whether the middle interval is narrower than what lies between the highest and the lowest value."""
    widths = [cell.high - cell.low for cell in cells if math.isfinite(cell.low)]
    values = [cell.value for cell in cells]
    return bool(widths) and median(widths) < max(values) - min(values)


def _axes(cells: Sequence[Cell], spec: MetricSpec, shots: tuple[int, ...], *, banded: bool) -> _Axes:
    """Return axes that hold all values, and the intervals where they are drawn, between round numbers."""
    values = [cell.value for cell in cells]
    if banded:
        values += [end for cell in cells for end in (cell.low, cell.high) if math.isfinite(end)]
    span = max(values) - min(values) or max(abs(values[0]) * 0.1, 1e-3)
    floor, ceiling = spec.range
    low = min(values) - 0.08 * span if floor is None else max(min(values) - 0.08 * span, floor)
    high = max(values) + 0.08 * span if ceiling is None else min(max(values) + 0.08 * span, ceiling)
    step = nice_step(high - low, 5)
    return _Axes(
        frame=CHART,
        shots=shots,
        low=math.floor(low / step + 1e-9) * step,
        high=math.ceil(high / step - 1e-9) * step,
        step=step,
    )


def _spark_axes(cells: Sequence[Cell], shots: tuple[int, ...]) -> _Axes:
    ends = [end for cell in cells for end in (cell.low, cell.value, cell.high) if math.isfinite(end)]
    low, high = min(ends), max(ends)
    return _Axes(frame=SPARK, shots=shots, low=low, high=high if high > low else low + 1.0, step=1.0)


def _y_ticks(axes: _Axes) -> Iterator[Tick]:
    places = step_places(axes.step)
    for count in range(round((axes.high - axes.low) / axes.step) + 1):
        value = axes.low + count * axes.step
        yield Tick(at=axes.y(value), label=number(value, places))


def _series(cells: Sequence[Cell], key: SystemKey, axes: _Axes, places: int, *, banded: bool) -> Series:
    ordered = sorted(cells, key=lambda cell: cell.shots)
    sure = [cell for cell in ordered if math.isfinite(cell.low) and math.isfinite(cell.high)]
    upper = [f"{axes.x(cell.shots)},{axes.y(cell.high)}" for cell in sure]
    lower = [f"{axes.x(cell.shots)},{axes.y(cell.low)}" for cell in reversed(sure)]
    return Series(
        key=key,
        line=" ".join(f"{axes.x(cell.shots)},{axes.y(cell.value)}" for cell in ordered),
        band=" ".join(upper + lower) if banded and len(sure) > 1 else "",
        points=tuple(
            Point(
                x=axes.x(cell.shots),
                y=axes.y(cell.value),
                text=f"{key.name}, {plural(cell.shots, 'shot')}: {number(cell.value, places)}"
                f" ({interval(cell.low, cell.high, places)})",
            )
            for cell in ordered
        ),
    )


def curves_section(found: Findings) -> tuple[Curve, ...]:
    """Return the chart of each metric of the main table."""
    return curves(found.cells, found.specs, found.table, found.keys)
