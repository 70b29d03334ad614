"""Paired differences: every system against a chosen one, with what these people could have shown at all."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from eval.specs.spec import MetricSpec
from eval.statistics.cells import Cell
from eval.statistics.difference import Difference
from reports.charts.axis import Axis, Frame, Tick, around, linear_ticks
from reports.charts.caption import Caption, fitted
from reports.leads import Comparisons, best
from reports.legend import Family, SystemKey
from reports.numbers import MISSING, interval, number, plural, probability, signed
from reports.table import Column

WIDTH, ROW = 400, 22
FRAME = Frame(left=152.0, right=390.0, top=24.0, bottom=30.0)
"""`bottom` is the room below the last row."""

Against = Literal["leader", "floor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestNumbers:
    """The numbers of one forest plot."""

    metric: str
    shots: int
    against: str
    """The system that all others are compared with."""
    role: Against
    """`leader`: the best value; `floor`: the best value of those that copy or bend real frames."""
    differences: tuple[Difference, ...]
    """Each other system minus that one; the best first."""
    not_run: tuple[str, ...]
    """Systems without a score to compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """One system; places are NaN where there is nothing to draw."""

    key: SystemKey
    label: str
    y: float
    x: float
    low_x: float
    high_x: float
    band: tuple[float, float] | None
    """Ends of the differences that are too small to be found; None where it is not known."""
    separated: bool
    difference: str
    interval: str
    p: str
    detectable: str
    verdict: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """The plot of one metric. To the right is better, whichever way the metric counts."""

    caption: Caption
    column: Column
    numbers: ForestNumbers
    against: SystemKey
    frame: Frame
    height: float
    zero_x: float
    ticks: tuple[Tick, ...]
    rows: tuple[ForestRow, ...]


def forests(
    cells: Sequence[Cell],
    specs: Sequence[MetricSpec],
    columns: Sequence[Column],
    comparisons: Comparisons,
    keys: Mapping[str, SystemKey],
    *,
    shots: int,
    role: Against = "leader",
) -> tuple[Forest, ...]:
    """Return a plot for each metric in which two systems have a value.

    Args:
        cells: All cells of the run.
        specs: The metrics.
        columns: Their headings.
        comparisons: The paired differences of the run.
        keys: The systems, in order.
        shots: The number of shots.
        role: Whom to compare with. Against a `floor` there is no plot where it leads anyway.
    """
    found = []
    for spec, column in zip(specs, columns, strict=True):
        leaders = best(cells, spec, shots)
        floors = [cell for cell in leaders if keys[cell.system].family in (Family.COPY, Family.WARP)]
        if len(leaders) < 2 or (role == "floor" and (not floors or floors[0] is leaders[0])):
            continue
        chosen = (floors if role == "floor" else leaders)[0].system
        numbers = _numbers(spec, comparisons, keys, chosen=chosen, shots=shots, role=role)
        found.append(forest(numbers, spec, column, keys, anchor=f"difference-{role}-{len(found) + 1}"))
    return tuple(found)


def forest(
    numbers: ForestNumbers, spec: MetricSpec, column: Column, keys: Mapping[str, SystemKey], *, anchor: str
) -> Forest:
    """Return the plot of one metric.

    Args:
        numbers: What to draw.
        spec: The metric.
        column: Its heading.
        keys: The systems.
        anchor: Id of the drawing in the page.
    """
    ends = [end for one in numbers.differences for end in (one.low, one.value, one.high)]
    low, high = around([0.0, *ends])
    start, end = (FRAME.left, FRAME.right) if spec.higher_is_better else (FRAME.right, FRAME.left)
    axis = Axis(low=low, high=high, start=start, end=end)
    drawn = [_row(one, place, axis, column, keys) for place, one in enumerate(numbers.differences)]
    missing = [_empty_row(name, len(drawn) + place, keys) for place, name in enumerate(numbers.not_run)]
    bottom = FRAME.top + ROW * (len(drawn) + len(missing))
    clear = [one.system for one in numbers.differences if one.verdict != "not separated"]
    return Forest(
        caption=Caption(
            anchor=anchor,
            title=f"{column.title}: every system against {numbers.against}, {plural(numbers.shots, 'shot')}",
            description=f"Mean difference over people with its 95% interval for each of "
            f"{plural(len(drawn) + len(missing), 'system')}; to the right of the line at zero is better than "
            f"{numbers.against}. {len(clear) or 'None'} of them {'is' if len(clear) < 2 else 'are'} separated from it. "
            "The numbers are in the table.",
        ),
        column=column,
        numbers=numbers,
        against=keys[numbers.against],
        frame=Frame(left=FRAME.left, right=FRAME.right, top=FRAME.top, bottom=bottom),
        height=bottom + FRAME.bottom,
        zero_x=axis.at(0.0),
        ticks=linear_ticks(axis, 4, sign=True),
        rows=(*drawn, *missing),
    )


def _numbers(
    spec: MetricSpec,
    comparisons: Comparisons,
    keys: Mapping[str, SystemKey],
    *,
    chosen: str,
    shots: int,
    role: Against,
) -> ForestNumbers:
    found = {name: comparisons.difference(name, chosen, shots, spec.id) for name in keys if name != chosen}
    sign = -1 if spec.higher_is_better else 1
    differences = sorted(
        (one for one in found.values() if one is not None),
        key=lambda one: (not math.isfinite(one.value), sign * one.value if math.isfinite(one.value) else 0.0),
    )
    return ForestNumbers(
        metric=spec.id,
        shots=shots,
        against=chosen,
        role=role,
        differences=tuple(differences),
        not_run=tuple(name for name, one in found.items() if one is None),
    )


def _row(one: Difference, place: int, axis: Axis, column: Column, keys: Mapping[str, SystemKey]) -> ForestRow:
    places = column.places
    low_x, high_x = sorted((_at(axis, one.low), _at(axis, one.high)))
    difference, between = signed(one.value, places), interval(one.low, one.high, places)
    verdict = one.verdict if math.isfinite(one.value) else "not measurable"
    return ForestRow(
        key=keys[one.system],
        label=fitted(one.system),
        y=FRAME.top + ROW * (place + 0.5),
        x=_at(axis, one.value),
        low_x=low_x,
        high_x=high_x,
        band=_band(one.detectable, axis),
        separated=one.verdict != "not separated",
        difference=difference,
        interval=between,
        p=probability(one.p_holm),
        detectable="none" if math.isinf(one.detectable) else number(one.detectable, places),
        verdict=verdict,
        text=f"{one.system} minus {one.baseline}: {difference} ({between}), {verdict}",
    )


def _empty_row(name: str, place: int, keys: Mapping[str, SystemKey]) -> ForestRow:
    nowhere = float("nan")
    return ForestRow(
        key=keys[name],
        label=fitted(name),
        y=FRAME.top + ROW * (place + 0.5),
        x=nowhere,
        low_x=nowhere,
        high_x=nowhere,
        band=None,
        separated=False,
        difference=MISSING,
        interval=MISSING,
        p=MISSING,
        detectable=MISSING,
        verdict="not run",
        text=f"{name}: not run",
    )


def _at(axis: Axis, value: float) -> float:
    return axis.at(value) if math.isfinite(value) else float("nan")


def _band(detectable: float, axis: Axis) -> tuple[float, float] | None:
    """Return the ends of the band around zero, cut at the ends of the axis; all of it where nothing can be found."""
    if math.isnan(detectable):
        return None
    left, right = sorted((axis.at(-detectable), axis.at(detectable)))
    return left, right
