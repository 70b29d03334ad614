"""Quality against cost: a metric against the time that adapting and drawing take, on a logarithmic scale."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from eval.runs.results import CostRecord
from eval.specs.spec import MetricSpec
from eval.statistics.cells import Cell
from reports.charts.axis import Axis, Frame, Tick, around, linear_ticks
from reports.charts.caption import Caption
from reports.findings import Findings
from reports.legend import SystemKey
from reports.numbers import MISSING, duration, interval, listing, number, plural
from reports.provenance import machines
from reports.table import Column

WIDTH, HEIGHT = 400, 276
FRAME = Frame(left=56.0, right=384.0, top=22.0, bottom=226.0)
MOST_TICKS = 6
LACKS = ((True, False), (False, True), (True, True))
"""Only the time to adapt is not known, only the speed, neither."""

Cost = Literal["adaptation_s", "frames_per_s"]
WORDS: dict[Cost, str] = {"adaptation_s": "time to adapt to a person", "frames_per_s": "frames drawn a second"}
CHEAPER: dict[Cost, str] = {"adaptation_s": "shorter", "frames_per_s": "faster"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CostedSystem:
    """What a system reaches, and what that takes."""

    system: str
    value: float
    """NaN where it could not be measured."""
    low: float
    high: float
    adaptation_s: float
    """Mean over tasks; NaN where nobody knows."""
    frames_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CostNumbers:
    """The numbers of one metric's charts."""

    metric: str
    shots: int
    systems: tuple[CostedSystem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPoint:
    """A system in its place, with its interval upright."""

    key: SystemKey
    x: float
    y: float
    span: tuple[float, float] | None
    """Ends of the interval, the better one first; None where there is none."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPanel:
    """The metric against one cost. To the right is cheaper, up is better."""

    caption: Caption
    words: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    points: tuple[CostPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """A system in the table."""

    key: SystemKey
    value: str
    interval: str
    adaptation: str
    speed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CostChart:
    """One metric."""

    column: Column
    numbers: CostNumbers
    panels: tuple[CostPanel, ...]
    rows: tuple[CostRow, ...]
    missing: str
    """Who is not drawn, and why, as sentences; empty where everybody is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tradeoffs:
    """The section of the page."""

    shots: str
    hardware: str
    charts: tuple[CostChart, ...]


def tradeoffs_section(found: Findings) -> Tradeoffs | None:
    """Return the charts at the largest number of shots, None where no system with a value has a cost."""
    charts = tuple(
        cost_chart(one, found.spec(one.metric), found.column(one.metric), found.keys, anchor=f"cost-{place}")
        for place, one in enumerate(cost_numbers(found), start=1)
    )
    drawn = tuple(chart for chart in charts if chart.panels)
    if not drawn:
        return None
    return Tradeoffs(shots=plural(found.most_shots, "shot"), hardware=machines(found.run), charts=drawn)


def cost_numbers(found: Findings) -> tuple[CostNumbers, ...]:
    """Return every system's value and cost at the largest number of shots, metric by metric."""
    cost_of = {cost.system: cost for cost in found.run.record.cost if cost.shots == found.most_shots}
    cell_of = {(cell.metric, cell.system): cell for cell in found.cells if cell.shots == found.most_shots}
    return tuple(
        CostNumbers(
            metric=spec.id,
            shots=found.most_shots,
            systems=tuple(_costed(name, cell_of.get((spec.id, name)), cost_of.get(name)) for name in found.keys),
        )
        for spec in found.specs
    )


def cost_chart(
    numbers: CostNumbers, spec: MetricSpec, column: Column, keys: Mapping[str, SystemKey], *, anchor: str
) -> CostChart:
    """Return the charts of one metric; without a panel for a cost that nobody has.

    Args:
        numbers: What to draw.
        spec: The metric.
        column: Its heading.
        keys: The systems.
        anchor: Beginning of the drawings' ids in the page.
    """
    panels = tuple(
        _panel(numbers, drawn, cost, spec, column, keys, anchor=f"{anchor}-{part}")
        for part, cost in enumerate(WORDS, start=1)
        if (drawn := [one for one in numbers.systems if math.isfinite(one.value) and getattr(one, cost) > 0])
    )
    return CostChart(
        column=column,
        numbers=numbers,
        panels=panels,
        rows=tuple(
            CostRow(
                key=keys[one.system],
                value=number(one.value, column.places),
                interval=interval(one.low, one.high, column.places),
                adaptation=duration(one.adaptation_s),
                speed=_speed(one.frames_per_s),
            )
            for one in numbers.systems
        ),
        missing=_missing(numbers),
    )


def _costed(name: str, cell: Cell | None, cost: CostRecord | None) -> CostedSystem:
    return CostedSystem(
        system=name,
        value=cell.value if cell else math.nan,
        low=cell.low if cell else math.nan,
        high=cell.high if cell else math.nan,
        adaptation_s=math.nan if cost is None or cost.adaptation_s is None else cost.adaptation_s,
        frames_per_s=math.nan if cost is None or cost.frames_per_s is None else cost.frames_per_s,
    )


def _panel(
    numbers: CostNumbers,
    drawn: Sequence[CostedSystem],
    cost: Cost,
    spec: MetricSpec,
    column: Column,
    keys: Mapping[str, SystemKey],
    *,
    anchor: str,
) -> CostPanel:
    across, up = _axes(drawn, cost, higher_is_better=spec.higher_is_better)
    return CostPanel(
        caption=Caption(
            anchor=anchor,
            title=f"{column.title} against {WORDS[cost]}, {plural(numbers.shots, 'shot')}",
            description=f"One mark for each of {plural(len(drawn), 'system')} with its 95% interval; up is better, "
            "to the right is cheaper, on a logarithmic scale. The numbers are in the table.",
        ),
        words=f"{WORDS[cost]}, {CHEAPER[cost]}",
        x_ticks=_decades(across, cost),
        y_ticks=linear_ticks(up, 5),
        points=tuple(
            CostPoint(
                key=keys[one.system],
                x=across.at(getattr(one, cost)),
                y=up.at(one.value),
                span=_span(one, up),
                text=f"{one.system}: {number(one.value, column.places)} "
                f"({interval(one.low, one.high, column.places)}), {_priced(one, cost)}",
            )
            for one in drawn
        ),
    )


def _axes(drawn: Sequence[CostedSystem], cost: Cost, *, higher_is_better: bool) -> tuple[Axis, Axis]:
    low, high = around(end for one in drawn for end in (one.low, one.value, one.high))
    bottom, top = (FRAME.bottom, FRAME.top) if higher_is_better else (FRAME.top, FRAME.bottom)
    decades = [math.log10(getattr(one, cost)) for one in drawn]
    first, last = math.floor(min(decades)), math.ceil(max(decades))
    left, right = (FRAME.right, FRAME.left) if cost == "adaptation_s" else (FRAME.left, FRAME.right)
    across = Axis(low=10.0**first, high=10.0 ** max(last, first + 1), start=left, end=right, logarithmic=True)
    return across, Axis(low=low, high=high, start=bottom, end=top)


def _decades(axis: Axis, cost: Cost) -> tuple[Tick, ...]:
    first, last = round(math.log10(axis.low)), round(math.log10(axis.high))
    step = math.ceil((last - first) / MOST_TICKS)
    powers = [10.0**power for power in range(first, last + 1, step)]
    return tuple(
        Tick(at=axis.at(power), label=_seconds(power) if cost == "adaptation_s" else _count(power)) for power in powers
    )


def _span(one: CostedSystem, up: Axis) -> tuple[float, float] | None:
    if not (math.isfinite(one.low) and math.isfinite(one.high)):
        return None
    top, bottom = sorted((up.at(one.low), up.at(one.high)))
    return top, bottom


def _seconds(power: float) -> str:
    """Return a power of ten of seconds, such as "10 ms"."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if power >= size * 0.999:
            return f"{power / size:,.0f} {unit}"
    return f"{power / 1e-6:,.3g} µs"


def _count(power: float) -> str:
    """Return a power of ten, short for a crowded axis."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if power >= size * 0.999:
            return f"{power / size:,.0f}{unit}"
    return f"{power:g}"


def _priced(one: CostedSystem, cost: Cost) -> str:
    return duration(one.adaptation_s) if cost == "adaptation_s" else f"{_speed(one.frames_per_s)} frames a second"


def _speed(frames_per_s: float) -> str:
    return f"{frames_per_s:,.{1 if frames_per_s < 100 else 0}f}" if math.isfinite(frames_per_s) else MISSING


def _missing(numbers: CostNumbers) -> str:
    unmeasured = [one.system for one in numbers.systems if not math.isfinite(one.value)]
    rest = [one for one in numbers.systems if math.isfinite(one.value)]
    lacks = {one.system: (not one.adaptation_s > 0, not one.frames_per_s > 0) for one in rest}
    untimed, unpaced, neither = ([name for name, lack in lacks.items() if lack == kind] for kind in LACKS)
    sentences = (
        ("Not measurable in this metric", unmeasured),
        ("Cost not known", neither),
        ("Time to adapt not known", untimed),
        ("Frames a second not known", unpaced),
    )
    return " ".join(f"{what}: {listing(who)}." for what, who in sentences if who)
