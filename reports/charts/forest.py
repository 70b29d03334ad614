"""Paired differences: every system against a chosen one, with what these people could have shown at all."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from eval.specs.spec import MetricSpec
from eval.statistics.difference import Difference
from reports.charts.axis import Axis, Frame, Tick, around, linear_ticks
from reports.charts.caption import Caption, fitted
from reports.findings import Findings
from reports.leads import best
from reports.legend import Family, SystemKey
from reports.numbers import MISSING, interval, number, plural, probability, signed
from reports.table import Column

WIDTH, ROW = 400, 22
FRAME = Frame(left=166.0, right=380.0, top=24.0, bottom=30.0)
"""`bottom` is the room below the last row."""

Against = Literal["leader", "floor"]
ROLES: tuple[Against, ...] = ("leader", "floor")


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
    """One system; a place is None where there is nothing to draw."""

    key: SystemKey
    label: str
    y: float
    x: float | None
    span: tuple[float, float] | None
    """Ends of the interval."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """The section of the page."""

    shots: str
    leaders: tuple[Forest, ...]
    floors: tuple[Forest, ...]
    """Against the best of those that copy or bend real frames; of the metrics in which it does not lead."""


def differences_section(found: Findings) -> Differences | None:
    """Return the plots at the largest number of shots, None where no metric has two systems to compare."""
    leaders, floors = (
        tuple(
            forest(one, found.spec(one.metric), found.column(one.metric), found.keys, anchor=f"{role}-{place}")
            for place, one in enumerate(forest_numbers(found, role), start=1)
        )
        for role in ROLES
    )
    return Differences(shots=plural(found.most_shots, "shot"), leaders=leaders, floors=floors) if leaders else None


def forest_numbers(found: Findings, role: Against) -> tuple[ForestNumbers, ...]:
    """Return the numbers of the plot of each metric in which two systems have a value.

    Args:
        found: What the run says.
        role: Whom to compare with. Against a `floor` there is no plot where it leads anyway.
    """
    numbers = []
    for spec in found.specs:
        leaders = best(found.cells, spec, found.most_shots)
        floors = [cell for cell in leaders if found.keys[cell.system].family in (Family.COPY, Family.WARP)]
        if len(leaders) > 1 and (role == "leader" or (floors and floors[0] is not leaders[0])):
            numbers.append(_numbers(found, spec, (floors if role == "floor" else leaders)[0].system, role))
    return tuple(numbers)


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
        ticks=linear_ticks(axis, 5, sign=True),
        rows=(*drawn, *missing),
    )


def _numbers(found: Findings, spec: MetricSpec, chosen: str, role: Against) -> ForestNumbers:
    shots, sign = found.most_shots, -1 if spec.higher_is_better else 1
    known = {name: found.comparisons.difference(name, chosen, shots, spec.id) for name in found.keys if name != chosen}
    return ForestNumbers(
        metric=spec.id,
        shots=shots,
        against=chosen,
        role=role,
        differences=tuple(
            sorted(
                (one for one in known.values() if one is not None),
                key=lambda one: (math.isnan(one.value), 0.0 if math.isnan(one.value) else sign * one.value, one.system),
            )
        ),
        not_run=tuple(name for name, one in known.items() if one is None),
    )


def _row(one: Difference, place: int, axis: Axis, column: Column, keys: Mapping[str, SystemKey]) -> ForestRow:
    places = column.places
    difference, between = signed(one.value, places), interval(one.low, one.high, places)
    verdict = one.verdict if math.isfinite(one.value) else "not measurable"
    return ForestRow(
        key=keys[one.system],
        label=fitted(one.system),
        y=FRAME.top + ROW * (place + 0.5),
        x=axis.at(one.value) if math.isfinite(one.value) else None,
        span=_ends(one.low, one.high, axis),
        band=_ends(-one.detectable, one.detectable, axis),
        separated=one.verdict != "not separated",
        difference=difference,
        interval=between,
        p=probability(one.p_holm),
        detectable="none" if math.isinf(one.detectable) else number(one.detectable, places),
        verdict=verdict,
        text=f"{one.system} minus {one.baseline}: {difference} ({between}), {verdict}",
    )


def _empty_row(name: str, place: int, keys: Mapping[str, SystemKey]) -> ForestRow:
    return ForestRow(
        key=keys[name],
        label=fitted(name),
        y=FRAME.top + ROW * (place + 0.5),
        x=None,
        span=None,
        band=None,
        separated=False,
        difference=MISSING,
        interval=MISSING,
        p=MISSING,
        detectable=MISSING,
        verdict="not run",
        text=f"{name}: not run",
    )


def _ends(one: float, other: float, axis: Axis) -> tuple[float, float] | None:
    """Return where two values are, from left to right, cut at the ends of the axis; None where they are not known."""
    if math.isnan(one) or math.isnan(other):
        return None
    left, right = sorted((axis.at(one), axis.at(other)))
    return left, right
