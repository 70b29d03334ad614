"""The main table: systems at each number of shots, metrics across, every number with its interval."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from eval.specs.spec import MetricSpec
from eval.statistics.cells import Cell
from eval.statistics.difference import Difference
from reports.leads import Lead
from reports.legend import SystemKey
from reports.numbers import decimals, interval, number, plural, probability, share, signed

FLAG_NOTES = {
    "unreliable": ("†", "fewer frames than the metric needs to be reliable; compare only within this page"),
    "refused": ("‡", "too few frames to compute the metric at all"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One metric's heading."""

    metric: str
    title: str
    name: str
    """The title without what stands in brackets."""
    variant: str
    """What stands in brackets: the network or the normaliser."""
    unit: str
    arrow: str
    direction: str
    places: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCell:
    """One number as printed."""

    value: str
    interval: str
    separated: bool
    """Better than the runner-up in a paired test, corrected, and by a difference whose interval leaves out zero."""
    mark: str
    failures: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One system."""

    key: SystemKey
    cells: tuple[TableCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableGroup:
    """All systems at one number of shots."""

    shots: int
    title: str
    sample: str
    """How many people and frames stand behind each number."""
    rows: tuple[TableRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MainTable:
    """The whole table with the notes below it."""

    columns: tuple[Column, ...]
    groups: tuple[TableGroup, ...]
    notes: tuple[tuple[str, str], ...]
    """(mark, explanation) of the marks that occur."""


def columns(specs: Sequence[MetricSpec], cells: Sequence[Cell]) -> tuple[Column, ...]:
    """Return the headings of the metrics, with as many decimals as their values bear."""
    return tuple(
        Column(
            metric=spec.id,
            title=spec.title,
            name=spec.title.partition(" (")[0],
            variant=spec.title.partition(" (")[2].rstrip(")"),
            unit=spec.unit,
            arrow="↑" if spec.higher_is_better else "↓",
            direction="higher is better" if spec.higher_is_better else "lower is better",
            places=decimals(cell.value for cell in cells if cell.metric == spec.id),
        )
        for spec in specs
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRow:
    """First against second place in one metric at one number of shots."""

    shots: int
    metric: str
    leader: str
    runner_up: str
    difference: str
    interval: str
    p: str
    """Corrected for all comparisons of the metric."""
    share: str
    """Of the people, for how many the first is better."""
    detectable: str
    """The difference that would be found in four studies of five."""
    verdict: str


def lead_rows(leading: Sequence[Lead], heads: Sequence[Column]) -> tuple[LeadRow, ...]:
    """Return first place against second, and against everybody else that it is not separated from.

    Args:
        leading: The leads of the run.
        heads: The headings of the main table.
    """
    head_of = {head.metric: head for head in heads}
    return tuple(_lead_row(one, head_of[lead.metric]) for lead in leading for one in (lead.difference, *lead.rivals))


def _lead_row(one: Difference, head: Column) -> LeadRow:
    separated = one.verdict == "better"
    return LeadRow(
        shots=one.shots,
        metric=head.name,
        leader=one.system,
        runner_up=one.baseline,
        difference=signed(one.value, head.places),
        interval=interval(one.low, one.high, head.places),
        p=probability(one.p_holm),
        share=share(one.superiority),
        detectable="none" if math.isinf(one.detectable) else number(one.detectable, head.places),
        verdict="the same" if one.value == 0 else "separated" if separated else "could be chance",
    )


def within_range(cells: Sequence[Cell], specs: Sequence[MetricSpec]) -> tuple[Cell, ...]:
    """Return the cells with intervals cut at the ends of the metric's range, beyond which no value can lie."""
    ranges = {spec.id: spec.range for spec in specs}
    return tuple(_cut(cell, *ranges[cell.metric]) for cell in cells)


def _cut(cell: Cell, floor: float | None, ceiling: float | None) -> Cell:
    if not (math.isfinite(cell.low) and math.isfinite(cell.high)):
        return cell
    high = cell.high if ceiling is None else min(cell.high, ceiling)
    return replace(cell, low=cell.low if floor is None else max(cell.low, floor), high=high)


def main_table(
    cells: Sequence[Cell],
    specs: Sequence[MetricSpec],
    leading: Sequence[Lead],
    keys: Mapping[str, SystemKey],
) -> MainTable:
    """Return the table of a run.

    Args:
        cells: Summary of the score rows.
        specs: The metrics, in the order of the columns.
        leading: The leads, of which the separated ones are set in bold.
        keys: The systems, in the order of the rows.
    """
    separated = {(lead.leader, lead.shots, lead.metric) for lead in leading if lead.separated}
    heads = columns(specs, cells)
    by_place = {(cell.system, cell.shots, cell.metric): cell for cell in cells}
    groups = []
    for shots in sorted({cell.shots for cell in cells}):
        rows = tuple(
            TableRow(
                key=key,
                cells=tuple(
                    _cell(
                        by_place.get((name, shots, head.metric)),
                        head,
                        (name, shots, head.metric) in separated,
                    )
                    for head in heads
                ),
            )
            for name, key in keys.items()
        )
        sample = _sample([cell for cell in cells if cell.shots == shots])
        groups.append(TableGroup(shots=shots, title=plural(shots, "shot"), sample=sample, rows=rows))
    flags = sorted({cell.flag for cell in cells if cell.flag}, reverse=True)
    return MainTable(columns=heads, groups=tuple(groups), notes=tuple(FLAG_NOTES[flag] for flag in flags))


def _cell(cell: Cell | None, head: Column, separated: bool) -> TableCell:
    if cell is None:
        return TableCell(value="not run", interval="", separated=False, mark="", failures="")
    failures = ""
    if cell.n_failed:
        measured = number(cell.value_measured_only, head.places)
        failures = f"{cell.n_failed} of {cell.n_frames} failed; {measured} without them"
    return TableCell(
        value=number(cell.value, head.places),
        interval=interval(cell.low, cell.high, head.places),
        separated=separated,
        mark=FLAG_NOTES[cell.flag][0] if cell.flag else "",
        failures=failures,
    )


def _sample(cells: Sequence[Cell]) -> str:
    """Say how many people and frames stand behind the numbers, as a span where metrics differ."""
    people = sorted({cell.n_identities for cell in cells})
    frames = sorted({cell.n_frames for cell in cells})
    return f"{_span(people, 'person', 'people')}, {_span(frames, 'frame', 'frames')} a system"


def _span(counts: list[int], noun: str, many: str) -> str:
    if len(counts) == 1:
        return plural(counts[0], noun, many)
    return f"{counts[0]:,} to {counts[-1]:,} {many}"
